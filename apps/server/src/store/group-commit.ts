// SPDX-License-Identifier: Apache-2.0

/** Work that joins a group. It may run more than once, and what it returns counts only after the commit. */
export type Work<Tx> = (tx: Tx) => Promise<unknown>;

interface Waiting<Tx> {
  readonly work: Work<Tx>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface GroupCommit<Tx> {
  /** Resolves when the work's writes are on the disk, with what it returned. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>;
}

/** Works in one transaction; more wait for the next. */
const MAX_GROUP = 256;

/**
 * One transaction at a time, and whoever comes meanwhile shares the next: a commit costs a flush of the disk, whatever is in
 * it. When a work of a group fails, the group is rolled back and each work runs again alone, so that one cannot spoil
 * another's.
 */
export function createGroupCommit<Tx>(
  transaction: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>,
  maxGroup = MAX_GROUP,
): GroupCommit<Tx> {
  let queue: Waiting<Tx>[] = [];
  let running: Promise<void> | undefined;

  async function commit(group: readonly Waiting<Tx>[]): Promise<void> {
    try {
      const results = await transaction(async (tx) => {
        const values: unknown[] = [];
        for (const { work } of group) values.push(await work(tx));
        return values;
      });
      for (const [i, { resolve }] of group.entries()) resolve(results[i]);
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const one of group) await commit([one]);
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // When all that has arrived has been looked at: node:sqlite commits before it returns, so that each would be alone otherwise.
      await new Promise((resolve) => setImmediate(resolve));
      const group = queue.slice(0, maxGroup);
      queue = queue.slice(maxGroup);
      await commit(group);
    }
    running = undefined;
  }

  return {
    run: <T>(work: (tx: Tx) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
        running ??= drain();
      }),
    idle: async () => {
      while (running !== undefined) await running;
    },
  };
}
