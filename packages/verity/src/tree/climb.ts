// SPDX-License-Identifier: Apache-2.0
import type { TreeLayout } from './layout.ts';
import type { Settle } from './leaves.ts';
import type { VerityParameters } from './parameters.ts';
import { saltedDigester } from './salted.ts';

/** The block of one level that is being filled. */
interface OpenBlock {
  readonly bytes: Uint8Array;
  index: number;
  filled: number;
}

/**
 * The tree above its leaves: takes the digests of level 0's blocks in order, fills and settles the blocks of each level
 * as they become complete, and ends with the root hash. Holds one block a level, whatever the size of the data.
 */
export class Climb {
  readonly #layout: TreeLayout;
  readonly #settle: Settle;
  readonly #digest: (block: Uint8Array) => Uint8Array;
  readonly #open: OpenBlock[];
  #root: Uint8Array | undefined;

  constructor(p: VerityParameters, layout: TreeLayout, settle: Settle) {
    this.#layout = layout;
    this.#settle = settle;
    this.#digest = saltedDigester(p, p.hashBlockSize, layout.cells.digestBytes);
    // Level 0 is not ours; its place stays unused so that indices are the levels'.
    this.#open = layout.levels.map(() => ({ bytes: new Uint8Array(p.hashBlockSize), index: 0, filled: 0 }));
  }

  /** The digest of the next block of level 0. */
  add(digest: Uint8Array): void {
    this.#put(1, digest);
  }

  /** Settles what is not full, level by level, and returns the digest of the top block. */
  finish(): Uint8Array {
    for (let level = 1; level < this.#open.length; level++) this.#close(level);
    if (this.#root === undefined) throw new Error('no digest was added');
    return this.#root;
  }

  #put(level: number, digest: Uint8Array): void {
    const block = this.#open[level];
    if (block === undefined) {
      this.#root = digest.slice();
      return;
    }
    const { perBlock, strideBytes } = this.#layout.cells;
    block.bytes.set(digest, block.filled * strideBytes);
    block.filled++;
    if (block.filled === perBlock) this.#close(level);
  }

  #close(level: number): void {
    const block = this.#open[level] as OpenBlock;
    if (block.filled === 0) return;
    const settled = this.#settle(level, block.index, block.bytes);
    block.index++;
    block.filled = 0;
    const digest = this.#digest(settled);
    block.bytes.fill(0);
    this.#put(level + 1, digest);
  }
}
