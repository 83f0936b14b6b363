// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { writeBlocks } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';
import { passOverTree } from '../tree/tree-pass.ts';
import { type FsVerityAlgorithm, type FsVerityDescription, requireFsVerityOptions } from './descriptor.ts';
import { paddedFile } from './padded-file.ts';

export interface FsVerityOptions {
  readonly algorithm: FsVerityAlgorithm;
  /** Octets; a power of two from 1024 to 65536, as the kernel takes it. */
  readonly blockSize: number;
  /** 0 to 32 octets. */
  readonly salt: Uint8Array;
}

/** Input block sizes of the two digests: the salt is filled up to one, so that the kernel can hash it beforehand. */
const COMPRESSION_BLOCK_BYTES = { sha256: 64, sha512: 128 } as const;

/**
 * Builds the tree of one file as fs-verity does: as dm-verity's of hash type 1, with the salt filled up with zeros to a
 * whole input block of the digest, and the last block of the file filled up with zeros.
 * Linux, Documentation/filesystems/fsverity.rst, "Merkle tree".
 * @param tree where the tree goes, top level first; absent when only the digest is wanted.
 * @throws {VerityError} 'options_invalid'.
 */
export async function measureFsVerity(
  file: ByteSource,
  options: FsVerityOptions,
  tree?: ByteSink,
  work: LongWork = {},
): Promise<FsVerityDescription> {
  requireFsVerityOptions(options);
  const { algorithm, blockSize, salt } = options;
  const description = (rootHash: Uint8Array): FsVerityDescription => ({
    algorithm,
    blockSize,
    salt,
    dataSize: file.size,
    rootHash,
  });
  if (file.size === 0) return description(new Uint8Array(0));

  const parameters: VerityParameters = {
    hashType: 1,
    algorithm,
    dataBlockSize: blockSize,
    hashBlockSize: blockSize,
    dataBlocks: Math.ceil(file.size / blockSize),
    salt: paddedSalt(algorithm, salt),
  };
  const layout = treeLayout(parameters, { offset: 0, hasSuperblock: false });
  const settle =
    tree === undefined ? (_: number, __: number, block: Uint8Array) => block : writeBlocks(layout, tree, blockSize);
  return description(await passOverTree(paddedFile(file, blockSize), parameters, layout, settle, 'hashing', work));
}

function paddedSalt(algorithm: FsVerityAlgorithm, salt: Uint8Array): Uint8Array {
  const unit = COMPRESSION_BLOCK_BYTES[algorithm];
  const padded = new Uint8Array(Math.ceil(salt.length / unit) * unit);
  padded.set(salt);
  return padded;
}
