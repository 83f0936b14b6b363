// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { BlockSet } from './block-set.ts';
import type { TreeLayout, TreeLevel } from './layout.ts';
import type { Settle } from './leaves.ts';

/** The blocks that do not have the digest that the block above them holds. */
export interface Mismatches {
  readonly data: BlockSet;
  /** By level. */
  readonly hash: readonly BlockSet[];
  /** Hash blocks with something other than zeros outside their digests. */
  readonly spare: readonly BlockSet[];
}

export function noMismatches(layout: TreeLayout): Mismatches {
  return {
    data: new BlockSet(),
    hash: layout.levels.map(() => new BlockSet()),
    spare: layout.levels.map(() => new BlockSet()),
  };
}

/**
 * Compares each computed hash block with the one that stands in the tree, and goes on with the latter, since its digest
 * is what the block above promises.
 */
export function compareBlocks(layout: TreeLayout, hash: ByteSource, hashBlockSize: number, found: Mismatches): Settle {
  const stored = new Uint8Array(hashBlockSize);
  return (level, index, computed) => {
    hash.read((layout.levels[level] as TreeLevel).offset + index * hashBlockSize, stored);
    if (!bytesEqual(stored, computed)) {
      const children = level === 0 ? found.data : (found.hash[level - 1] as BlockSet);
      noteDifferences(layout, index, stored, computed, children, found.spare[level] as BlockSet);
    }
    return stored;
  };
}

function noteDifferences(
  { cells: { perBlock, strideBytes, digestBytes } }: TreeLayout,
  index: number,
  stored: Uint8Array,
  computed: Uint8Array,
  children: BlockSet,
  spare: BlockSet,
): void {
  let spareDiffers = false;
  for (let i = 0; i < perBlock; i++) {
    const at = i * strideBytes;
    const cell = stored.subarray(at, at + digestBytes);
    const wanted = computed.subarray(at, at + digestBytes);
    // Cells behind the last child are zeros in what we computed; a digest there is spare area in use.
    if (!bytesEqual(cell, wanted)) {
      if (wanted.every((byte) => byte === 0)) spareDiffers = true;
      else children.add(index * perBlock + i);
    }
    if (
      !bytesEqual(
        stored.subarray(at + digestBytes, at + strideBytes),
        computed.subarray(at + digestBytes, at + strideBytes),
      )
    ) {
      spareDiffers = true;
    }
  }
  const tail = perBlock * strideBytes;
  if (!bytesEqual(stored.subarray(tail), computed.subarray(tail))) spareDiffers = true;
  if (spareDiffers) spare.add(index);
}
