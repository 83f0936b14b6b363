// SPDX-License-Identifier: Apache-2.0

/**
 * The blocks that were used last, by number. Two generations: when the young one is full it becomes the old one, and the
 * old one is forgotten, so that a hit costs one look-up and no reordering.
 */
export class RecentBlocks {
  readonly #perGeneration: number;
  #young = new Map<number, Uint8Array>();
  #old = new Map<number, Uint8Array>();

  /** @param capacity most blocks to keep; 2 are kept at least. */
  constructor(capacity: number) {
    this.#perGeneration = Math.max(1, Math.floor(capacity / 2));
  }

  get(number: number): Uint8Array | undefined {
    const young = this.#young.get(number);
    if (young !== undefined) return young;
    const old = this.#old.get(number);
    if (old !== undefined) this.put(number, old);
    return old;
  }

  put(number: number, block: Uint8Array): void {
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(number, block);
  }
}
