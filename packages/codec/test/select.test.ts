// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, enumOf, openEnumOf, optional, rest, select, struct, u8, u16be } from '@vouchsafe/codec';
import { isFaithful, refused, refusesOtherLengths, untyped } from './support.ts';

const kind = { a: 1, b: 2, c: 3 };
const closed = struct('s', { kind: enumOf(u8, kind), gap: u8, body: select('kind', { a: u8, b: u16be }) });
const open = struct('s', { kind: openEnumOf(u8, kind), body: select('kind', { a: u8, b: u16be }, rest) });

test('the arm is the one that the field names', () => {
  refusesOtherLengths(closed, Uint8Array.of(1, 0, 9));
  refusesOtherLengths(closed, Uint8Array.of(2, 0, 1, 2));
  assert.deepEqual(decode(closed, Uint8Array.of(2, 0, 1, 2)), { kind: 'b', gap: 0, body: 0x0102 });
  refused(() => decode(closed, Uint8Array.of(1, 0, 9, 9)), 'trailing_bytes', 's', 3);
  refused(() => encode(closed, { kind: 'a', gap: 0, body: 256 }), 'invalid', 's.body', 2);
});

test('without an arm, the selector is refused, or what is open takes the rest', () => {
  refused(() => decode(closed, Uint8Array.of(3, 0, 9)), 'unknown_value', 's.body', 2);
  refused(() => encode(closed, untyped({ kind: 'c', gap: 0, body: 9 })), 'unknown_value', 's.body', 2);
  isFaithful(open, 4);
  assert.deepEqual(decode(open, Uint8Array.of(3, 9)), { kind: 'c', body: Uint8Array.of(9) });
  assert.deepEqual(decode(open, Uint8Array.of(77)), { kind: 77, body: new Uint8Array(0) });
});

test('what objects inherit is no arm', () => {
  const odd = enumOf(u8, { ['__proto__']: 1, constructor: 2, toString: 3, own: 4 });
  const codec = struct('s', { kind: odd, body: select('kind', { own: u8 }) });
  for (const n of [1, 2, 3]) refused(() => decode(codec, Uint8Array.of(n, 0)), 'unknown_value', 's.body', 1);
  assert.equal(decode(codec, Uint8Array.of(4, 5)).body, 5);
});

test('a number selects by its value; what is neither number nor name selects nothing', () => {
  const byNumber = struct('s', { kind: u8, body: select('kind', { 1: u8, 2: u16be }) });
  assert.deepEqual(decode(byNumber, Uint8Array.of(2, 1, 2)), { kind: 2, body: 0x0102 });
  refused(() => decode(byNumber, Uint8Array.of(3, 1, 2)), 'unknown_value', 's.body', 1);
  const absent = struct('s', { kind: optional(u8), body: select('kind', { undefined: u8 }) });
  refused(() => decode(absent, new Uint8Array(0)), 'unknown_value', 's.body', 0);
  const missing = struct('s', { body: select('kind', { a: u8 }) });
  refused(() => decode(missing, Uint8Array.of(1)), 'unknown_value', 's.body', 0);
});
