// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ByteSource,
  MemorySink,
  memorySource,
  readBytes,
  readScattered,
  requireRange,
  sliceSource,
} from '@vouchsafe/bytes';
import fc from 'fast-check';

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);

test('a source gives any range inside it, in one piece or scattered', () => {
  const range = fc.tuple(fc.nat(100), fc.nat(100)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(range, fc.nat(100), ([start, end], cut) => {
      const source = memorySource(BYTES);
      assert.deepEqual(readBytes(source, start, end - start), BYTES.slice(start, end));
      const middle = Math.min(cut, end - start);
      const [a, b] = [new Uint8Array(middle), new Uint8Array(end - start - middle)];
      readScattered(source, start, [a, b]);
      assert.deepEqual([...a, ...b], [...BYTES.slice(start, end)]);
    }),
  );
});

test('a slice is the same as the part it stands for, and no more', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.nat(120), fc.nat(120), (offset, size, at, length) => {
      fc.pre(offset + size <= 100);
      const slice = sliceSource(memorySource(BYTES), offset, size);
      assert.equal(slice.size, size);
      if (at + length > size) assert.throws(() => readBytes(slice, at, length), { code: 'out_of_range' });
      else assert.deepEqual(readBytes(slice, at, length), BYTES.slice(offset + at, offset + at + length));
    }),
  );
});

test('a slice knows the holes of its part', () => {
  let asked = 0;
  const source: ByteSource = {
    ...memorySource(BYTES),
    dataExtents: () => {
      asked++;
      return [
        { start: 0, end: 10 },
        { start: 30, end: 50 },
        { start: 90, end: 100 },
      ];
    },
  };
  const slice = sliceSource(source, 5, 40);
  const expected = [
    { start: 0, end: 5 },
    { start: 25, end: 40 },
  ];
  assert.deepEqual(slice.dataExtents?.(), expected);
  assert.deepEqual(slice.dataExtents?.(), expected);
  assert.equal(asked, 1);
});

test('a range that is not one is refused with a code', () => {
  const source = { size: 10, label: 'it' };
  for (const [offset, length] of [
    [-1, 1],
    [0, 11],
    [10, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, Number.NaN],
    [0, -1],
    [2 ** 53, 1],
    [Number.POSITIVE_INFINITY, 0],
  ] as const) {
    assert.throws(() => requireRange(source, offset, length), { code: 'out_of_range' });
  }
  requireRange(source, 10, 0);
  assert.throws(() => sliceSource(memorySource(BYTES), 0, Number.NaN), { code: 'out_of_range' });
});

test('a memory sink keeps what is written anywhere, zeros between, up to its limit', () => {
  const sink = new MemorySink(5000);
  sink.write(4000, Uint8Array.of(1, 2));
  sink.write(10, Uint8Array.of(3));
  const expected = new Uint8Array(4002);
  expected.set([1, 2], 4000);
  expected[10] = 3;
  assert.deepEqual(sink.bytes(), expected);
  sink.write(4999, Uint8Array.of(9));
  assert.throws(() => sink.write(5000, Uint8Array.of(9)), { code: 'no_space' });
  assert.throws(() => sink.write(-1, Uint8Array.of(9)), { code: 'out_of_range' });
  assert.throws(() => sink.write(Number.NaN, Uint8Array.of(9)), { code: 'out_of_range' });
  assert.equal(sink.bytes().length, 5000);
});
