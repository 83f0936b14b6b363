// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readScattered } from '@vouchsafe/bytes';
import type { TreeLayout } from './layout.ts';
import type { VerityParameters } from './parameters.ts';
import { blockRuns } from './runs.ts';
import { SaltedBlocks, saltedDigester } from './salted.ts';

/** Octets read at a time: large enough to make calls cheap, small enough to be in the cache when they are hashed. */
const BATCH_BYTES = 256 * 1024;
const MAX_BATCH_BLOCKS = 1024;

/**
 * What becomes of a finished hash block: written to the tree, or compared with the one that stands there. Returns the
 * block as it is in the tree, whose digest goes one level up. `block` is used again after the call.
 */
export type Settle = (level: number, index: number, block: Uint8Array) => Uint8Array;

export interface LeafRange {
  /** Number of the first data block; a multiple of the digests per block. */
  readonly first: number;
  /** Number behind the last data block; a multiple too, unless it is the end of the data. */
  readonly end: number;
}

/** What one step of hashing has brought. */
export interface LeafStep {
  /** Data blocks hashed since the start of the range. */
  readonly done: number;
}

/**
 * Hashes data blocks into hash blocks of level 0, settles each, and hands the digests of those blocks to `carry`, in
 * order. Yields after each batch, so that the caller decides about progress and cancellation.
 */
export function* hashLeaves(
  data: ByteSource,
  p: VerityParameters,
  layout: TreeLayout,
  range: LeafRange,
  settle: Settle,
  carry: (digest: Uint8Array) => void,
): Generator<LeafStep> {
  const { perBlock, strideBytes, digestBytes } = layout.cells;
  const batchBlocks = Math.max(1, Math.min(MAX_BATCH_BLOCKS, Math.floor(BATCH_BYTES / p.dataBlockSize)));
  // Several hash blocks at once when one covers less than a batch.
  const groupBlocks = Math.max(1, Math.floor(batchBlocks / perBlock));
  const group = new Uint8Array(groupBlocks * p.hashBlockSize);
  const salted = new SaltedBlocks(p, p.dataBlockSize, batchBlocks, group);
  const digestOfLeaf = saltedDigester(p, p.hashBlockSize, digestBytes);
  const zeroDigest = saltedDigester(p, p.dataBlockSize, digestBytes)(new Uint8Array(p.dataBlockSize));
  const groupData = groupBlocks * perBlock;

  for (let first = range.first; first < range.end; first += groupData) {
    const end = Math.min(range.end, first + groupData);
    group.fill(0);
    for (const run of blockRuns(data, p.dataBlockSize, first, end, batchBlocks)) {
      if (!run.isHole) {
        const targets = run.count === batchBlocks ? salted.contents : salted.contents.slice(0, run.count);
        readScattered(data, run.first * p.dataBlockSize, targets);
      }
      for (let i = 0; i < run.count; i++) {
        const inGroup = run.first - first + i;
        const cell = inGroup % perBlock;
        const at = ((inGroup - cell) / perBlock) * p.hashBlockSize + cell * strideBytes;
        if (run.isHole) group.set(zeroDigest, at);
        else salted.digestTo(i, at);
      }
      yield { done: run.first + run.count - range.first };
    }
    for (let at = 0, index = first / perBlock; index * perBlock < end; index++, at += p.hashBlockSize) {
      carry(digestOfLeaf(settle(0, index, group.subarray(at, at + p.hashBlockSize))));
    }
  }
}
