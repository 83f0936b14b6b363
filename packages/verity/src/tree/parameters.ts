// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { VerityError } from '../error.ts';

/** Largest salt that the superblock holds, in octets. */
export const MAX_SALT_BYTES = 256;
const MIN_BLOCK_SIZE = 512;
const MAX_BLOCK_SIZE = 512 * 1024;

/** All that decides a hash tree besides the data. */
export interface VerityParameters {
  /** 1: the salt goes before the block (the normal one); 0: behind it (Chrome OS's original). */
  readonly hashType: 0 | 1;
  readonly algorithm: DigestAlgorithm;
  /** Octets; a power of two from 512 to 524288. */
  readonly dataBlockSize: number;
  /** Octets; a power of two from 512 to 524288. */
  readonly hashBlockSize: number;
  /** Number of data blocks; at least 1. */
  readonly dataBlocks: number;
  /** 0 to 256 octets. */
  readonly salt: Uint8Array;
}

/** @throws {VerityError} 'options_invalid' with the first rule that is broken. */
export function requireValidParameters(p: VerityParameters): void {
  if (p.hashType !== 0 && p.hashType !== 1) {
    throw new VerityError('options_invalid', `the hash type is ${p.hashType}, it must be 0 or 1`);
  }
  requireBlockSize('data block size', p.dataBlockSize);
  requireBlockSize('hash block size', p.hashBlockSize);
  if (p.salt.length > MAX_SALT_BYTES) {
    throw new VerityError(
      'options_invalid',
      `the salt has ${p.salt.length} octets, at most ${MAX_SALT_BYTES} are possible`,
    );
  }
  if (
    !Number.isSafeInteger(p.dataBlocks) ||
    p.dataBlocks < 1 ||
    !Number.isSafeInteger(p.dataBlocks * p.dataBlockSize)
  ) {
    throw new VerityError(
      'options_invalid',
      `${p.dataBlocks} data blocks of ${p.dataBlockSize} octets are not possible`,
    );
  }
}

function requireBlockSize(what: string, size: number): void {
  // Not by size & (size - 1), which looks at 32 bits only and takes fractions.
  if (!(size >= MIN_BLOCK_SIZE && size <= MAX_BLOCK_SIZE && Number.isInteger(Math.log2(size)))) {
    throw new VerityError(
      'options_invalid',
      `the ${what} is ${size}, it must be a power of two from ${MIN_BLOCK_SIZE} to ${MAX_BLOCK_SIZE}`,
    );
  }
}
