// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import {
  asciiCell,
  bytes,
  CodecError,
  cellOf,
  constant,
  decode,
  encode,
  enumOf,
  type Infer,
  isUuidText,
  struct,
  u16le,
  u32le,
  u64le,
  uuid,
  zeros,
} from '@vouchsafe/codec';
import { VerityError } from '../error.ts';
import { parseAlgorithm } from './algorithm.ts';
import { MAX_SALT_BYTES, requireValidParameters, type VerityParameters } from './parameters.ts';

/** Octets of a superblock. */
export const SUPERBLOCK_BYTES = 512;

/**
 * The dm-verity superblock: 512 octets, little-endian. cryptsetup lib/verity/verity.c, struct verity_sb; described in
 * the cryptsetup wiki, "DMVerity", "Verity superblock format".
 */
export const veritySuperblock = struct('verity_sb', {
  signature: [constant(bytes(8), ascii('verity\0\0')), 'says that this is one'],
  version: [constant(u32le, 1), 'of the superblock'],
  hashType: [enumOf(u32le, { chromeos: 0, normal: 1 }), 'the salt goes behind the block, or before it'],
  uuid: [uuid, 'of the hash device; nothing is derived from it'],
  algorithm: [asciiCell(32), "the digest, by the kernel crypto API's name"],
  dataBlockSize: [u32le, 'octets, a power of two from 512 to 524288'],
  hashBlockSize: [u32le, 'octets, a power of two from 512 to 524288'],
  dataBlocks: [u64le, 'number of data blocks covered'],
  saltSize: [u16le, 'octets of salt in use, at most 256'],
  padding1: zeros(6),
  salt: [cellOf('saltSize', MAX_SALT_BYTES), 'hashed with every block'],
  padding2: zeros(168),
});

/** What a superblock says, checked. */
export interface VerityHeader extends VerityParameters {
  /** Lower-case text form. */
  readonly uuid: string;
}

/**
 * @throws {VerityError} 'superblock_missing' when the signature is not there, 'superblock_invalid' when a field breaks
 * the format's rules (its cause names the field and offset), 'algorithm' when the digest is not known.
 */
export function decodeSuperblock(octets: Uint8Array): VerityHeader {
  let raw: Infer<typeof veritySuperblock>;
  try {
    raw = decode(veritySuperblock, octets);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    if (cause.path === 'verity_sb.signature') {
      throw new VerityError(
        'superblock_missing',
        'no verity superblock here; is this the hash file, and is --hash-offset right? A tree made with --no-superblock needs it here too',
        { cause },
      );
    }
    throw new VerityError('superblock_invalid', `the verity superblock is damaged: ${cause.message}`, { cause });
  }
  // Said as it stands there: a number would round it.
  if (raw.dataBlocks > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new VerityError(
      'superblock_invalid',
      `the verity superblock is damaged: ${raw.dataBlocks} data blocks of ${raw.dataBlockSize} octets are not possible`,
    );
  }
  const header: VerityHeader = {
    uuid: raw.uuid,
    hashType: raw.hashType === 'normal' ? 1 : 0,
    algorithm: parseAlgorithm(raw.algorithm),
    dataBlockSize: raw.dataBlockSize,
    hashBlockSize: raw.hashBlockSize,
    // The one place where the 64-bit count becomes a number.
    dataBlocks: Number(raw.dataBlocks),
    salt: raw.salt,
  };
  try {
    requireValidParameters(header);
  } catch (cause) {
    if (!(cause instanceof VerityError)) throw cause;
    throw new VerityError('superblock_invalid', `the verity superblock is damaged: ${cause.message}`, { cause });
  }
  return header;
}

/** @throws {VerityError} 'options_invalid' unless it is a UUID in its text form, in either case. */
export function requireUuid(uuid: string): void {
  if (!isUuidText(uuid)) {
    throw new VerityError(
      'options_invalid',
      `the UUID is ${JSON.stringify(uuid.slice(0, 80))}, it must be like 01234567-89ab-cdef-0123-456789abcdef`,
    );
  }
}

/** @throws {VerityError} 'options_invalid' */
export function encodeSuperblock(header: VerityHeader): Uint8Array {
  requireValidParameters(header);
  requireUuid(header.uuid);
  return encode(veritySuperblock, {
    signature: ascii('verity\0\0'),
    version: 1,
    hashType: header.hashType === 1 ? 'normal' : 'chromeos',
    uuid: header.uuid,
    algorithm: header.algorithm,
    dataBlockSize: header.dataBlockSize,
    hashBlockSize: header.hashBlockSize,
    dataBlocks: BigInt(header.dataBlocks),
    saltSize: header.salt.length,
    salt: header.salt,
  });
}
