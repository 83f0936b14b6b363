// SPDX-License-Identifier: Apache-2.0
// Internal: imports the tree's parts that have rules of their own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Extent, memorySource } from '@vouchsafe/bytes';
import { BlockSet, treeLayout, type VerityParameters } from '@vouchsafe/verity';
import fc from 'fast-check';
import { RecentBlocks } from '../src/tree/recent-blocks.ts';
import { blockRuns } from '../src/tree/runs.ts';

const P: VerityParameters = {
  hashType: 1,
  algorithm: 'sha256',
  dataBlockSize: 4096,
  hashBlockSize: 4096,
  dataBlocks: 1,
  salt: new Uint8Array(0),
};
const SIZE = fc.integer({ min: 9, max: 19 }).map((log) => 2 ** log);

test('the levels lie end to end with the top first, and each has room for the one below', () => {
  const parameters = fc.record({
    hashType: fc.constantFrom<0 | 1>(0, 1),
    algorithm: fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512'),
    dataBlockSize: SIZE,
    hashBlockSize: SIZE,
    dataBlocks: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 2 ** 33 })),
    salt: fc.constant(new Uint8Array(0)),
  });
  fc.assert(
    fc.property(parameters, fc.nat(100), fc.boolean(), (p, n, hasSuperblock) => {
      const layout = treeLayout(p, { offset: n * (hasSuperblock ? 512 : p.hashBlockSize), hasSuperblock });
      const { perBlock, strideBytes } = layout.cells;
      assert.ok(perBlock * strideBytes <= p.hashBlockSize);
      let at = layout.start;
      assert.equal(at % p.hashBlockSize, 0);
      for (const { offset, blocks } of layout.levels.toReversed()) {
        assert.equal(offset, at);
        at += blocks * p.hashBlockSize;
      }
      let below = p.dataBlocks;
      for (const { blocks } of layout.levels) {
        assert.equal(blocks, Math.ceil(below / perBlock));
        below = blocks;
      }
      assert.equal(below, 1);
      if (layout.levels.length > 0) assert.equal(layout.end, at);
    }),
  );
});

test('trees of petabytes have a layout; what a number does not hold has none', () => {
  const { levels, end } = treeLayout({ ...P, dataBlocks: 2 ** 41 - 1 }, { offset: 0, hasSuperblock: true });
  assert.equal(levels.length, 6);
  assert.ok(Number.isSafeInteger(end));
  assert.equal(levels[0]?.blocks, 2 ** 34);
  const small = { ...P, dataBlockSize: 512, hashBlockSize: 512, dataBlocks: 2 ** 44 - 1 };
  assert.throws(
    () =>
      treeLayout(
        { ...small, hashBlockSize: 1024, algorithm: 'sha512' },
        { offset: 2 ** 53 - 1024, hasSuperblock: true },
      ),
    { code: 'options_invalid' },
  );
  assert.throws(() => treeLayout({ ...small, dataBlocks: 2 ** 44 }, { offset: 0, hasSuperblock: true }), {
    code: 'options_invalid',
  });
  for (const [offset, hasSuperblock] of [
    [256, true],
    [512, false],
    [-512, true],
    [Number.NaN, true],
    [2 ** 53, true],
  ] as const) {
    assert.throws(() => treeLayout(P, { offset, hasSuperblock }), { code: 'options_invalid' });
  }
});

test('runs cover each block once, and no block with data is a hole', () => {
  const extents: fc.Arbitrary<Extent[]> = fc
    .uniqueArray(fc.nat(4096 * 16), { maxLength: 12 })
    .map((ends) => ends.sort((a, b) => a - b))
    .map((ends) => ends.flatMap((end, i) => (i % 2 === 1 ? [{ start: ends[i - 1] as number, end }] : [])));
  fc.assert(
    fc.property(extents, fc.integer({ min: 1, max: 7 }), fc.nat(100), fc.nat(100), (list, maxCount, a, b) => {
      const source = { ...memorySource(new Uint8Array(0)), dataExtents: () => list };
      const [first, end] = [Math.min(a, b), Math.max(a, b)];
      let next = first;
      for (const run of blockRuns(source, 512, first, end, maxCount)) {
        assert.deepEqual([run.first, run.count >= 1 && run.count <= maxCount], [next, true]);
        for (let block = run.first; block < run.first + run.count; block++) {
          const touches = list.some((e) => e.start < (block + 1) * 512 && e.end > block * 512);
          assert.equal(run.isHole, !touches);
        }
        next += run.count;
      }
      assert.equal(next, end);
    }),
  );
});

test('a set of blocks knows what was added', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(300), { maxLength: 100 }), (numbers) => {
      const sorted = numbers.sort((x, y) => x - y);
      const set = new BlockSet();
      for (const number of sorted) set.add(number);
      assert.deepEqual([...set], sorted);
      assert.deepEqual([set.count, set.listedCount, set.isTruncated], [sorted.length, sorted.length, false]);
      for (let n = 0; n <= 301; n++) assert.equal(set.has(n), sorted.includes(n));
    }),
  );
});

test('a set of blocks is bounded, and says how many it leaves out', () => {
  const set = new BlockSet();
  for (let block = 0; block < 300_000; block += 2) set.add(block);
  assert.deepEqual([set.count, set.listedCount, set.isTruncated], [150_000, 100_000, true]);
  assert.throws(() => set.add(100));
});

test('the cache never holds more than it may', () => {
  fc.assert(
    fc.property(fc.integer({ min: -3, max: 9 }), fc.array(fc.nat(20), { maxLength: 60 }), (capacity, numbers) => {
      const recent = new RecentBlocks(capacity);
      for (const number of numbers) {
        if (recent.get(number) === undefined) recent.put(number, Uint8Array.of(number));
        assert.deepEqual(recent.get(number), Uint8Array.of(number));
      }
      const kept = [...Array(21).keys()].filter((number) => recent.get(number) !== undefined);
      assert.ok(kept.length <= Math.max(2, capacity));
    }),
  );
});
