// SPDX-License-Identifier: Apache-2.0
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';

/** Octets that overlays may hold together: damage must not decide our memory. */
export class OverlayBudget {
  #left: number;
  isSpent = false;

  constructor(sizeBytes: number) {
    this.#left = sizeBytes;
  }

  take(sizeBytes: number): boolean {
    if (sizeBytes > this.#left) this.isSpent = true;
    else this.#left -= sizeBytes;
    return !this.isSpent;
  }
}

/** A source as it would be after some of its blocks were written. What is beyond the budget is not kept. */
export class Overlay implements ByteSource, ByteSink {
  readonly label: string;
  readonly size: number;
  readonly #base: ByteSource;
  readonly #blockSize: number;
  readonly #budget: OverlayBudget;
  /** By the offset divided by the block size; blocks stand at multiples of it. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(base: ByteSource, blockSize: number, budget: OverlayBudget) {
    this.#base = base;
    this.label = base.label;
    this.size = base.size;
    this.#blockSize = blockSize;
    this.#budget = budget;
  }

  read(offset: number, target: Uint8Array): void {
    this.#base.read(offset, target);
    if (this.#blocks.size === 0) return;
    const size = this.#blockSize;
    const end = offset + target.length;
    for (let index = Math.floor(offset / size); index * size < end; index++) {
      const at = index * size;
      const from = Math.max(0, offset - at);
      const block = this.#blocks.get(index)?.subarray(from, Math.min(size, end - at));
      if (block !== undefined) target.set(block, at + from - offset);
    }
  }

  /** One block at its place. */
  write(offset: number, bytes: Uint8Array): void {
    if (this.#budget.take(bytes.length)) this.#blocks.set(offset / this.#blockSize, bytes.slice());
  }
}
