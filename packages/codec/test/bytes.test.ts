// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, cellOf, decode, encode, optional, rest, struct, u8, u64le, zeros } from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const NOT_BYTES = [undefined, null, 'abc', [1, 2, 3], 3, {}, new Uint16Array(3)];

test('bytes: exactly so many, as a view of the input', () => {
  const input = Uint8Array.of(1, 2, 3);
  const view = decode(bytes(3), input);
  assert.equal(view.buffer, input.buffer);
  roundTrips(bytes(3), fc.uint8Array({ minLength: 3, maxLength: 3 }));
  refusesOtherLengths(bytes(3), input);
  for (const n of [2, 4]) refused(() => encode(bytes(3), new Uint8Array(n)), 'invalid', 'bytes(3)', 0);
  for (const x of NOT_BYTES) refused(() => encode(bytes(3), untyped(x)), 'invalid', 'bytes(3)', 0);
});

test('rest: to the end', () => {
  roundTrips(rest, fc.uint8Array());
  for (const x of NOT_BYTES) refused(() => encode(rest, untyped(x)), 'invalid', 'bytes to the end', 0);
});

test('what is decoded is a plain Uint8Array, whatever kind the input is', () => {
  const value = decode(rest, Buffer.from([1, 2, 3]));
  assert.equal(value.constructor, Uint8Array);
  assert.deepEqual(value, Uint8Array.of(1, 2, 3));
});

test('zeros: each reserved bit is checked where it is', () => {
  const codec = struct('s', { x: u8, reserved: zeros(3) });
  refusesOtherLengths(codec, Uint8Array.of(5, 0, 0, 0));
  assert.deepEqual(decode(codec, Uint8Array.of(5, 0, 0, 0)), { x: 5 });
  for (let bit = 0; bit < 24; bit++) {
    const input = Uint8Array.of(5, 0, 0, 0);
    input[1 + (bit >> 3)] = 1 << (bit & 7);
    refused(() => decode(codec, input), 'mismatch', 's.reserved', 1 + (bit >> 3));
  }
});

test('cellOf: what is past the bytes in use is zero', () => {
  const codec = struct('s', { size: u8, cell: cellOf('size', 4) });
  refusesOtherLengths(codec, Uint8Array.of(2, 7, 8, 0, 0));
  isFaithful(codec, 6);
  for (const size of [0, 4]) assert.equal(decode(codec, Uint8Array.of(size, 0, 0, 0, 0)).cell.length, size);
  refused(() => decode(codec, Uint8Array.of(5, 0, 0, 0, 0)), 'limit', 's.cell', 1);
  refused(() => decode(codec, Uint8Array.of(2, 7, 8, 0, 1)), 'mismatch', 's.cell', 4);
  refused(() => decode(codec, Uint8Array.of(2, 7, 8, 1, 0)), 'mismatch', 's.cell', 3);
  refused(() => encode(codec, { size: 1, cell: new Uint8Array(2) }), 'invalid', 's.cell', 1);
  refused(() => encode(codec, { size: 5, cell: new Uint8Array(5) }), 'limit', 's.cell', 1);
  for (const x of NOT_BYTES) refused(() => encode(codec, untyped({ size: 3, cell: x })), 'invalid', 's.cell', 1);
});

test('cellOf: a 64-bit length, a length that is missing, one that is no number', () => {
  const wide = struct('s', { size: u64le, cell: cellOf('size', 2) });
  const input = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 9, 0);
  refusesOtherLengths(wide, input);
  refused(
    () =>
      decode(
        wide,
        input.map((b, i) => (i === 7 ? 0x80 : b)),
      ),
    'limit',
    's.cell',
    8,
  );
  const unknown = struct('s', { cell: cellOf('size', 2) });
  refused(() => decode(unknown, new Uint8Array(2)), 'invalid', 's.cell', 0);
  refused(() => encode(unknown, { cell: new Uint8Array(2) }), 'invalid', 's.cell', 0);
  const late = struct('s', { cell: cellOf('size', 2), size: u8 });
  refused(() => decode(late, new Uint8Array(3)), 'invalid', 's.cell', 0);
  const absent = struct('s', { size: optional(u8), cell: cellOf('size', 0) });
  refused(() => decode(absent, new Uint8Array(0)), 'invalid', 's.cell', 0);
});

test('a size that is no size is refused where it is declared', () => {
  for (const n of [-1, 1.5, NaN, Infinity, untyped(undefined)]) {
    assert.throws(() => bytes(n), /whole number/);
    assert.throws(() => zeros(n), /whole number/);
    assert.throws(() => cellOf('size', n), /whole number/);
  }
  assert.deepEqual(decode(bytes(0), new Uint8Array(0)), new Uint8Array(0));
});
