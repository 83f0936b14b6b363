// SPDX-License-Identifier: Apache-2.0

/** Something that two artefacts do not have in common. */
export interface Difference {
  /** Where, from the outside in: 'partition root-x86-64', 'etc/passwd'. */
  readonly path: readonly string[];
  /** What of it, as 'mode' or 'content'; left out where all of it is there on one side only. */
  readonly field?: string;
  /** Left out where it is not there. */
  readonly before?: string;
  readonly after?: string;
}

/** Collects differences, as far as they are listed. */
export class Differences {
  readonly list: Difference[] = [];
  readonly #max: number;
  /** Found beyond those that are listed. */
  further = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(difference: Difference): void {
    if (this.list.length < this.#max) this.list.push(difference);
    else this.further++;
  }

  added(path: readonly string[], after: string): void {
    this.add({ path, after });
  }

  removed(path: readonly string[], before: string): void {
    this.add({ path, before });
  }

  /** A field that may differ. */
  compare(path: readonly string[], field: string, before: string, after: string): void {
    if (before !== after) this.add({ path, field, before, after });
  }
}
