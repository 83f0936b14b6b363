// SPDX-License-Identifier: Apache-2.0

/** More runs than this are counted, not kept: damage decides how many there are, and must not decide our memory. */
const MAX_RUNS = 100_000;

/** Numbers from first up to but not including end. */
export interface NumberRun {
  readonly first: number;
  readonly end: number;
}

/** Block numbers as runs. They are added in ascending order; bounded in memory. */
export class BlockSet {
  readonly #runs: { first: number; end: number }[] = [];
  #count = 0;
  #isTruncated = false;

  add(block: number): void {
    this.addRun(block, block + 1);
  }

  addRun(first: number, end: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && first < last.end) throw new Error('blocks are added in ascending order');
    this.#count += end - first;
    if (last !== undefined && last.end === first) last.end = end;
    else if (this.#runs.length < MAX_RUNS) this.#runs.push({ first, end });
    else this.#isTruncated = true;
  }

  /** Counts blocks whose numbers are not known. */
  addUnlisted(count: number): void {
    if (count === 0) return;
    this.#count += count;
    this.#isTruncated = true;
  }

  /** True when it is among those that are kept. */
  has(block: number): boolean {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as NumberRun).end <= block) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low];
    return run !== undefined && run.first <= block;
  }

  get runs(): readonly NumberRun[] {
    return this.#runs;
  }

  /** How many were added, kept or not. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are kept. */
  get listedCount(): number {
    return this.#runs.reduce((sum, { first, end }) => sum + end - first, 0);
  }

  /** True when more was added than is kept. */
  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const { first, end } of this.#runs) for (let block = first; block < end; block++) yield block;
  }
}
