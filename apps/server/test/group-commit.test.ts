// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGroupCommit } from '../src/store/group-commit.ts';

/** A database of numbers whose transactions take a turn of the event loop. */
function fakeDatabase() {
  const committed: number[][] = [];
  const transaction = async <T>(run: (tx: number[]) => Promise<T>): Promise<T> => {
    const pending: number[] = [];
    const result = await run(pending);
    await new Promise((resolve) => setImmediate(resolve));
    committed.push(pending);
    return result;
  };
  return { committed, transaction };
}

test('what arrives during a commit shares the next one', async () => {
  const { committed, transaction } = fakeDatabase();
  const group = createGroupCommit<number[]>(transaction);
  const put = (value: number) => group.run(async (tx) => tx.push(value));
  const first = put(1);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, put(2), put(3), put(4)]);
  assert.deepEqual(committed, [[1], [2, 3, 4]]);
});

test('nothing is acknowledged before its commit', async () => {
  const { committed, transaction } = fakeDatabase();
  const group = createGroupCommit<number[]>(transaction);
  await group.run(async (tx) => tx.push(1));
  assert.equal(committed.length, 1);
});

test('one that fails spoils none of its group', async () => {
  const { committed, transaction } = fakeDatabase();
  const group = createGroupCommit<number[]>(transaction);
  const outcomes = await Promise.allSettled([
    group.run(async (tx) => tx.push(1)),
    group.run(async () => {
      throw new Error('mine alone');
    }),
    group.run(async (tx) => tx.push(3)),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(committed.flat(), [1, 3]);
});

test('a group has a bound, and all of a longer queue come through', async () => {
  const { committed, transaction } = fakeDatabase();
  const group = createGroupCommit<number[]>(transaction, 4);
  await Promise.all(Array.from({ length: 10 }, (_, i) => group.run(async (tx) => tx.push(i))));
  await group.idle();
  assert.deepEqual(committed.flat().sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.ok(committed.every((values) => values.length <= 4));
});
