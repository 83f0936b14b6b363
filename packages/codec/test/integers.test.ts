// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Codec, decode, encode, u8, u16be, u16le, u32be, u32le, u64be, u64le } from '@vouchsafe/codec';
import fc from 'fast-check';
import { refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const NARROW: [Codec<number>, number][] = [
  [u8, 1],
  [u16be, 2],
  [u16le, 2],
  [u32be, 4],
  [u32le, 4],
];
const WIDE: Codec<bigint>[] = [u64be, u64le];

test('byte orders', () => {
  const input = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  assert.equal(decode(u8, input.subarray(0, 1)), 1);
  assert.equal(decode(u16be, input.subarray(0, 2)), 0x0102);
  assert.equal(decode(u16le, input.subarray(0, 2)), 0x0201);
  assert.equal(decode(u32be, input.subarray(0, 4)), 0x01020304);
  assert.equal(decode(u32le, input.subarray(0, 4)), 0x04030201);
  assert.equal(decode(u64be, input), 0x0102030405060708n);
  assert.equal(decode(u64le, input), 0x0807060504030201n);
});

for (const [codec, size] of NARROW) {
  const max = 256 ** size - 1;
  test(`${codec.name}: its range and nothing else`, () => {
    roundTrips(codec, fc.integer({ min: 0, max }));
    for (const x of [0, 1, max - 1, max]) assert.equal(decode(codec, encode(codec, x)), x);
    assert.deepEqual(encode(codec, -0), new Uint8Array(size));
    for (const x of [-1, max + 1, 0.5, NaN, Infinity, '1', 1n, undefined, null, {}, Object.create(null), Symbol('s')]) {
      refused(() => encode(codec, untyped(x)), 'invalid', codec.name, 0);
    }
    refusesOtherLengths(codec, new Uint8Array(size).fill(0xa5));
  });
}

for (const codec of WIDE) {
  test(`${codec.name}: its range and nothing else`, () => {
    const max = 2n ** 64n - 1n;
    roundTrips(codec, fc.bigInt({ min: 0n, max }));
    for (const x of [0n, 1n, max - 1n, max]) assert.equal(decode(codec, encode(codec, x)), x);
    for (const x of [-1n, max + 1n, 1, undefined, '1'])
      refused(() => encode(codec, untyped(x)), 'invalid', codec.name, 0);
    refusesOtherLengths(codec, new Uint8Array(8).fill(0xa5));
  });
}

test('a short input says how much is there', () => {
  const error = refused(() => decode(u32be, new Uint8Array(3)), 'truncated', 'u32be', 0);
  assert.equal(error.message, 'u32be @0x0: needs 4 bytes, 3 left [truncated]');
});
