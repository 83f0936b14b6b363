// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, flags, openFlags, rest, u8, u16le, u64be } from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, plain, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const closed = flags(u8, { low: 0, high: 7 });
const open = openFlags(u16le, { low: 0, high: 15 });
const wide = openFlags(u64be, { first: 0, last: 63 });

test('named bits, counted from the least significant', () => {
  assert.deepEqual(encode(closed, { low: true, high: false }), Uint8Array.of(0x01));
  assert.deepEqual(encode(closed, { low: false, high: true }), Uint8Array.of(0x80));
  roundTrips(closed, fc.record({ low: fc.boolean(), high: fc.boolean() }, plain));
  refusesOtherLengths(closed, Uint8Array.of(0x81));
});

test('each bit without a name is refused, or kept where the word is open', () => {
  for (let bit = 1; bit < 7; bit++) {
    refused(() => decode(closed, Uint8Array.of(1 << bit)), 'unknown_value', 'u8 flags', 0);
  }
  isFaithful(open, 3);
  isFaithful(wide, 9);
  assert.deepEqual(decode(open, Uint8Array.of(0x03, 0x80)), { low: true, high: true, unnamed: 2n });
  assert.equal(decode(wide, new Uint8Array(8).fill(0xff)).unnamed, 0x7fff_ffff_ffff_fffen);
});

test('a value that is not of the word is refused', () => {
  for (const value of [undefined, null, 1, {}, { low: 1, high: 0 }, { low: true }]) {
    refused(() => encode(closed, untyped(value)), 'invalid', 'u8 flags', 0);
    refused(() => encode(open, untyped(value)), 'invalid', 'u16le open flags', 0);
  }
  for (const unnamed of [1n, 0x8000n, 0x10000n, -2n, 2, undefined]) {
    refused(() => encode(open, untyped({ low: true, high: true, unnamed })), 'invalid', 'u16le open flags', 0);
  }
});

test('a declaration with a bit twice, outside the word, or of no use as a name is refused', () => {
  assert.throws(() => flags(u8, { a: 8 }), /outside the word/);
  assert.throws(() => flags(u8, { a: -1 }), /whole number/);
  assert.throws(() => flags(u8, { a: 0.5 }), /whole number/);
  assert.throws(() => flags(u8, { a: 1, b: 1 }), /same bit/);
  assert.throws(() => openFlags(u8, { unnamed: 1 }), /name of a flag/);
  assert.throws(() => flags(u8, { ['__proto__']: 1 }), /name of a flag/);
  assert.throws(() => flags(untyped(rest), { a: 1 }), /fixed size/);
});
