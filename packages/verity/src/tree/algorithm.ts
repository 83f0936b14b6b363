// SPDX-License-Identifier: Apache-2.0
import { type DigestAlgorithm, digestSize, isDigestAlgorithm, isDigestAvailable } from '@vouchsafe/crypto';
import { VerityError } from '../error.ts';

/** Names that veritysetup's users write, for the kernel's name of the same digest. */
const ALIASES: ReadonlyMap<string, DigestAlgorithm> = new Map([['rmd160', 'ripemd160']]);

/**
 * A digest by the name that stands in superblocks and dm tables; in either case, as veritysetup takes it.
 * @throws {VerityError} 'algorithm' when there is no such digest or this runtime does not have it.
 */
export function parseAlgorithm(name: string): DigestAlgorithm {
  const lower = name.toLowerCase();
  const algorithm = ALIASES.get(lower) ?? lower;
  if (!isDigestAlgorithm(algorithm)) {
    // Quoted as JSON: the name may come from a superblock, and must not drive a terminal.
    throw new VerityError('algorithm', `unknown hash algorithm ${JSON.stringify(name)}; sha256 is the usual one`);
  }
  if (!isDigestAvailable(algorithm)) throw new VerityError('algorithm', `this runtime has no ${algorithm}`);
  return algorithm;
}

/** Where digests stand in a hash block. */
export interface DigestCells {
  /** Digests in one hash block: a power of two, so that the kernel finds them by shifting. */
  readonly perBlock: number;
  /** Octets from one digest to the next. */
  readonly strideBytes: number;
  readonly digestBytes: number;
}

/**
 * Digests per block is the largest power of two that fits. Hash type 1 puts each digest in a cell of the block's size
 * divided by that number; type 0 packs them, and the rest of the block is zero.
 * Linux, drivers/md/dm-verity-target.c, verity_hash_at_level; cryptsetup lib/verity/verity_hash.c, hash_levels.
 */
export function digestCells(algorithm: DigestAlgorithm, hashType: 0 | 1, hashBlockSize: number): DigestCells {
  const digestBytes = digestSize(algorithm);
  const perBlock = 2 ** Math.floor(Math.log2(hashBlockSize / digestBytes));
  const strideBytes = hashType === 0 ? digestBytes : 2 ** Math.ceil(Math.log2(digestBytes));
  return { perBlock, strideBytes, digestBytes };
}
