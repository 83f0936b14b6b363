// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, enumOf, openEnumOf, struct, u8, u16be } from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const HOSTILE = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '1'];
const closed = enumOf(u16be, { sha1: 4, sha256: 11 });
const open = openEnumOf(u16be, { sha1: 4, sha256: 11 });

test('a closed enumeration has its members and no others', () => {
  roundTrips(closed, fc.constantFrom('sha1', 'sha256'));
  refusesOtherLengths(closed, Uint8Array.of(0, 11));
  const error = refused(() => decode(closed, Uint8Array.of(0, 12)), 'unknown_value', 'u16be enumeration', 0);
  assert.match(error.message, /0xc is not one of sha1, sha256/);
  for (const name of [...HOSTILE, 4, undefined, {}]) {
    refused(() => encode(closed, untyped(name)), 'unknown_value', 'u16be enumeration', 0);
  }
});

test('an open enumeration keeps a value without a name as a number', () => {
  roundTrips(open, fc.oneof(fc.constantFrom('sha1' as const, 'sha256' as const), fc.integer({ min: 12, max: 0xffff })));
  isFaithful(open);
  assert.equal(decode(open, Uint8Array.of(0, 12)), 12);
  for (const name of HOSTILE) refused(() => encode(open, untyped(name)), 'unknown_value', 'u16be open enumeration', 0);
});

test('a value with a name is written by that name only', () => {
  refused(() => encode(open, 4), 'invalid', 'u16be open enumeration', 0);
  refused(() => encode(struct('s', { open }), { open: 4 }), 'invalid', 's.open', 0);
});

test('members may be called as what objects inherit', () => {
  const odd = enumOf(u8, { ['__proto__']: 1, constructor: 2 });
  assert.equal(decode(odd, Uint8Array.of(1)), '__proto__');
  assert.deepEqual(encode(odd, '__proto__' as never), Uint8Array.of(1));
  refused(() => encode(odd, untyped('toString')), 'unknown_value', 'u8 enumeration', 0);
});

test('a declaration that is ambiguous or does not fit is refused', () => {
  assert.throws(() => enumOf(u8, { a: 1, b: 1 }), /same value/);
  assert.throws(() => enumOf(u8, { a: 256 }), /does not fit u8/);
  assert.throws(() => enumOf(u8, { a: -1 }), /whole number/);
  assert.throws(() => openEnumOf(u8, { a: NaN }), /whole number/);
  assert.throws(() => openEnumOf(u8, { 7: 1 }), /expected a name/);
  enumOf(u8, { a: 255 });
});
