// SPDX-License-Identifier: Apache-2.0
import { alignUp } from '../../align.ts';
import { SLOT_BYTES } from '../structures.ts';

/**
 * Gives inodes their places in the metadata: each, with what follows it, in the fullest block that has room, so that few
 * octets are lost; the same requests in the same order get the same places.
 */
export class MetaSpace {
  readonly #blockBytes: number;
  /** Blocks by how many slots are left at their end, the last one first. */
  readonly #partial: number[][];
  #blocks: number;

  /** @param usedBytes at the start of the first block, a multiple of a slot. */
  constructor(blockBytes: number, usedBytes: number) {
    this.#blockBytes = blockBytes;
    this.#partial = Array.from({ length: blockBytes / SLOT_BYTES + 1 }, () => []);
    this.#blocks = 1;
    this.#keep(0, usedBytes);
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** @returns octets from the start of the metadata, a multiple of a slot. */
  take(sizeBytes: number): number {
    const slots = Math.ceil(sizeBytes / SLOT_BYTES);
    for (let left = slots; left < this.#partial.length; left++) {
      const block = this.#partial[left]?.pop();
      if (block === undefined) continue;
      const used = this.#blockBytes - left * SLOT_BYTES;
      this.#keep(block, used + slots * SLOT_BYTES);
      return block * this.#blockBytes + used;
    }
    // What is larger than a block gets blocks of its own, and leaves the end of the last to others.
    const start = this.#blocks;
    this.#blocks += Math.ceil(sizeBytes / this.#blockBytes);
    const end = start * this.#blockBytes + slots * SLOT_BYTES;
    this.#keep(this.#blocks - 1, end - (this.#blocks - 1) * this.#blockBytes);
    return start * this.#blockBytes;
  }

  #keep(block: number, usedBytes: number): void {
    const left = (this.#blockBytes - alignUp(usedBytes, SLOT_BYTES)) / SLOT_BYTES;
    if (left > 0) this.#partial[left]?.push(block);
  }
}
