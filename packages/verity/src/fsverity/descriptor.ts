// SPDX-License-Identifier: Apache-2.0
import { bytes, cellOf, constant, encode, enumOf, struct, u8, u32le, u64le, zeros } from '@vouchsafe/codec';
import { digest, digestSize } from '@vouchsafe/crypto';
import { VerityError } from '../error.ts';

/** Numbers of the digests that fs-verity has. Linux, include/uapi/linux/fsverity.h, FS_VERITY_HASH_ALG_*. */
export const FSVERITY_ALGORITHM_NUMBERS = { sha256: 1, sha512: 2 } as const;

/** The two digests that fs-verity has. */
export type FsVerityAlgorithm = keyof typeof FSVERITY_ALGORITHM_NUMBERS;

/** Largest salt, in octets. */
const MAX_FSVERITY_SALT_BYTES = 32;

/**
 * What is hashed to give a file's fs-verity digest: 256 octets, little-endian. Linux, fs/verity/fsverity_private.h,
 * struct fsverity_descriptor; Documentation/filesystems/fsverity.rst, "fs-verity descriptor". The signature's size is
 * zero in what is hashed, whether the file is signed or not.
 */
export const fsverityDescriptor = struct('fsverity_descriptor', {
  version: constant(u8, 1),
  hashAlgorithm: [enumOf(u8, FSVERITY_ALGORITHM_NUMBERS), 'digest of the tree'],
  logBlockSize: [u8, 'log2 of the block size'],
  saltSize: [u8, 'octets of salt in use, at most 32'],
  signatureSize: [constant(u32le, 0), 'not part of what is hashed'],
  dataSize: [u64le, 'size of the file, octets'],
  rootHash: [bytes(64), 'digest of the top block, filled up with zeros'],
  salt: [cellOf('saltSize', MAX_FSVERITY_SALT_BYTES), 'hashed before every block'],
  reserved: zeros(144),
});

export interface FsVerityDescription {
  readonly algorithm: FsVerityAlgorithm;
  /** Octets. */
  readonly blockSize: number;
  readonly salt: Uint8Array;
  /** Octets. */
  readonly dataSize: number;
  /** Digest of the top block of the tree; of no octets for an empty file, which has no tree. */
  readonly rootHash: Uint8Array;
}

/** @throws {VerityError} 'options_invalid' for a block size or salt that the kernel would not take. */
export function requireFsVerityOptions({ blockSize, salt }: Pick<FsVerityDescription, 'blockSize' | 'salt'>): void {
  if (!Number.isInteger(Math.log2(blockSize)) || blockSize < 1024 || blockSize > 65536) {
    throw new VerityError(
      'options_invalid',
      `the block size is ${blockSize}, fs-verity takes a power of two from 1024 to 65536`,
    );
  }
  if (salt.length > MAX_FSVERITY_SALT_BYTES) {
    throw new VerityError(
      'options_invalid',
      `the salt has ${salt.length} octets, fs-verity takes at most ${MAX_FSVERITY_SALT_BYTES}`,
    );
  }
}

/**
 * The 256 octets whose digest is the file's.
 * @throws {VerityError} 'options_invalid' for a root hash, salt or size that fs-verity does not have.
 */
export function encodeFsVerityDescriptor(d: FsVerityDescription): Uint8Array {
  requireFsVerityOptions(d);
  const size = d.dataSize === 0 && d.rootHash.length === 0 ? 0 : digestSize(d.algorithm);
  if (d.rootHash.length !== size) {
    throw new VerityError(
      'options_invalid',
      `the root hash has ${d.rootHash.length} octets, a ${d.algorithm} one has ${digestSize(d.algorithm)}`,
    );
  }
  const rootHash = new Uint8Array(64);
  rootHash.set(d.rootHash);
  return encode(fsverityDescriptor, {
    version: 1,
    hashAlgorithm: d.algorithm,
    logBlockSize: Math.log2(d.blockSize),
    saltSize: d.salt.length,
    signatureSize: 0,
    dataSize: BigInt(d.dataSize),
    rootHash,
    salt: d.salt,
  });
}

/** The file's fs-verity digest: what FS_IOC_MEASURE_VERITY returns and what is signed. */
export function fsVerityDigest(d: FsVerityDescription): Uint8Array {
  return digest(d.algorithm, encodeFsVerityDescriptor(d));
}
