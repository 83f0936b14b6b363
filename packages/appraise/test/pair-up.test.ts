// SPDX-License-Identifier: Apache-2.0
// Internal: the comparison of two sequences, which the package does not export.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Pair, pairUp } from '../src/pair-up.ts';

/** 'ab|ac' as 'aa b- -c': what stands beside what. */
function text(left: string, right: string): string {
  return pairUp([...left], [...right])
    .map(
      (pair) =>
        `${pair.left === undefined ? '-' : left[pair.left]}${pair.right === undefined ? '-' : right[pair.right]}`,
    )
    .join(' ');
}

for (const [left, right, expected] of [
  ['', '', ''],
  ['abc', 'abc', 'aa bb cc'],
  ['abc', 'ac', 'aa b- cc'],
  ['ac', 'abc', 'aa -b cc'],
  ['zxyz', 'xyz', 'z- xx yy zz'],
  ['zxy', 'xyz', 'z- xx yy -z'],
  ['aa', 'aba', 'aa -b aa'],
  ['aaa', 'aa', 'aa aa a-'],
  ['ab', '', 'a- b-'],
  ['', 'ab', '-a -b'],
] as const) {
  test(`${left || 'nothing'} beside ${right || 'nothing'}`, () => assert.equal(text(left, right), expected));
}

/** Each once, in order, and only equals together. */
function assertSound(
  left: readonly (string | undefined)[],
  right: readonly (string | undefined)[],
  pairs: readonly Pair[],
): void {
  assert.deepEqual(
    pairs.flatMap((pair) => pair.left ?? []),
    left.map((_, i) => i),
  );
  assert.deepEqual(
    pairs.flatMap((pair) => pair.right ?? []),
    right.map((_, i) => i),
  );
  for (const pair of pairs) {
    if (pair.left === undefined || pair.right === undefined) continue;
    assert.ok(left[pair.left] !== undefined && left[pair.left] === right[pair.right]);
  }
}

const sequence = fc.array(fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }), { maxLength: 12 });

test('each element stands once, in order, beside its equal; and all are paired only where both are the same', () => {
  fc.assert(
    fc.property(sequence, sequence, (left, right) => {
      const pairs = pairUp(left, right);
      assertSound(left, right, pairs);
      const isAllPaired = pairs.every((pair) => pair.left !== undefined && pair.right !== undefined);
      const isSame = left.length === right.length && left.every((key, i) => key !== undefined && key === right[i]);
      assert.equal(isAllPaired, isSame);
    }),
  );
});

test('undefined equals nothing, not even itself', () => {
  assert.deepEqual(pairUp([undefined], [undefined]), [
    { left: 0, right: undefined },
    { left: undefined, right: 0 },
  ]);
});

test('100,000 elements on both sides are compared in one pass', () => {
  const left = Array.from({ length: 100_000 }, (_, i) => `k${(i * 7919) % 1000}`);
  const right = Array.from({ length: 100_000 }, (_, i) => `k${(i * 104_729) % 1000}`);
  assertSound(left, right, pairUp(left, right));
  const same = Array.from({ length: 100_000 }, () => 'k');
  assertSound(same, [...same, 'other'], pairUp(same, [...same, 'other']));
});
