// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { decodeSuperblock, SUPERBLOCK_BYTES, type VerityHeader } from './superblock.ts';

/**
 * The superblock at an offset of a hash file or device.
 * @throws {VerityError} 'superblock_missing', 'superblock_invalid', 'algorithm', 'options_invalid' for the offset.
 */
export function readHeader(hash: ByteSource, offset: number): VerityHeader {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % 512 !== 0) {
    throw new VerityError('options_invalid', `the hash offset is ${offset}, it must be a multiple of 512`);
  }
  if (hash.size < offset + SUPERBLOCK_BYTES) {
    throw new VerityError(
      'superblock_missing',
      `${hash.label}: a verity superblock has ${SUPERBLOCK_BYTES} octets from ${offset}, the file ends at ${hash.size}`,
    );
  }
  try {
    return decodeSuperblock(readBytes(hash, offset, SUPERBLOCK_BYTES));
  } catch (cause) {
    if (!(cause instanceof VerityError)) throw cause;
    throw new VerityError(cause.code, `${hash.label}: ${cause.message}`, { cause });
  }
}
