// SPDX-License-Identifier: Apache-2.0
import { VerityError } from '../error.ts';
import { type DigestCells, digestCells } from './algorithm.ts';
import { requireValidParameters, type VerityParameters } from './parameters.ts';
import { SUPERBLOCK_BYTES } from './superblock.ts';

/** Where a hash area begins, in the file or device that holds it. */
export interface HashAreaPlace {
  /** Octets from the start; a multiple of 512. */
  readonly offset: number;
  /** Whether a superblock stands there, before the tree. */
  readonly hasSuperblock: boolean;
}

/** One level of the tree. */
export interface TreeLevel {
  /** Octets from the start of the file or device to the level's first block. */
  readonly offset: number;
  /** Hash blocks in the level. */
  readonly blocks: number;
}

export interface TreeLayout {
  readonly cells: DigestCells;
  /** Level 0 holds the digests of the data blocks. None when the only data block's digest is the root hash itself. */
  readonly levels: readonly TreeLevel[];
  /** Octets from the start of the file or device to the tree: the first whole hash block behind the superblock. */
  readonly start: number;
  /** Octets from the start of the file or device to the end of the tree. */
  readonly end: number;
}

/**
 * The tree's levels stand with the top one first and level 0 last, from the first whole hash block behind the
 * superblock. cryptsetup lib/verity/verity_hash.c, hash_levels; lib/verity/verity.c, VERITY_hash_offset_block.
 * @throws {VerityError} 'options_invalid' when the place breaks a rule or the tree would not fit into 2^53 octets.
 */
export function treeLayout(p: VerityParameters, place: HashAreaPlace): TreeLayout {
  requireValidParameters(p);
  requireValidPlace(p, place);
  const cells = digestCells(p.algorithm, p.hashType, p.hashBlockSize);

  const blocksOfLevels: number[] = [];
  for (let covered = p.dataBlocks; covered > 1; ) {
    covered = Math.ceil(covered / cells.perBlock);
    blocksOfLevels.push(covered);
  }

  const start =
    Math.ceil((place.offset + (place.hasSuperblock ? SUPERBLOCK_BYTES : 0)) / p.hashBlockSize) * p.hashBlockSize;
  let block = start / p.hashBlockSize;
  const levels = new Array<TreeLevel>(blocksOfLevels.length);
  for (let level = blocksOfLevels.length - 1; level >= 0; level--) {
    const blocks = blocksOfLevels[level] as number;
    levels[level] = { offset: block * p.hashBlockSize, blocks };
    block += blocks;
  }
  const end = levels.length > 0 ? block * p.hashBlockSize : place.offset + superblockArea(p, place);
  if (!Number.isSafeInteger(end)) throw new VerityError('options_invalid', 'the hash tree would be larger than 8 PiB');
  return { cells, levels, start, end };
}

/** Where there is no tree, veritysetup fills up the superblock to a hash block, but to no more than a page (seen, 2.6.1). */
function superblockArea(p: VerityParameters, { offset, hasSuperblock }: HashAreaPlace): number {
  if (!hasSuperblock) return 0;
  const unit = Math.min(p.hashBlockSize, 4096);
  return Math.ceil((offset + SUPERBLOCK_BYTES) / unit) * unit - offset;
}

function requireValidPlace(p: VerityParameters, { offset, hasSuperblock }: HashAreaPlace): void {
  const step = hasSuperblock ? 512 : p.hashBlockSize;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % step !== 0) {
    const why = hasSuperblock ? '512' : `the hash block size, ${p.hashBlockSize}, as there is no superblock`;
    throw new VerityError('options_invalid', `the hash offset is ${offset}, it must be a multiple of ${why}`);
  }
}
