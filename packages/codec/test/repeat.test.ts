// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decode,
  encode,
  list,
  listOf,
  listToEnd,
  mapped,
  rest,
  sized,
  struct,
  u8,
  u16be,
  u32be,
  u64le,
  zeros,
} from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const NOT_LISTS = [undefined, null, 3, 'ab', {}, { length: 2 }, new Uint8Array(2)];

test('list: a count, then that many', () => {
  const codec = list(u8, u16be, 3);
  roundTrips(codec, fc.array(fc.nat(0xffff), { maxLength: 3 }));
  isFaithful(codec, 8);
  refusesOtherLengths(codec, Uint8Array.of(2, 0, 1, 0, 2));
  assert.equal(decode(codec, Uint8Array.of(3, 0, 1, 0, 2, 0, 3)).length, 3);
  refused(() => decode(codec, new Uint8Array(9).fill(0, 1).fill(4, 0, 1)), 'limit', codec.name, 0);
  refused(() => encode(codec, [1, 2, 3, 4]), 'limit', codec.name, 0);
  for (const x of NOT_LISTS) refused(() => encode(codec, untyped(x)), 'invalid', codec.name, 0);
});

test('errors name the item', () => {
  const codec = struct('s', { points: list(u8, struct('p', { x: u8, y: u16be }), 9) });
  refused(() => decode(codec, Uint8Array.of(2, 1, 0, 2, 3, 0)), 'truncated', 's.points[1].y', 5);
  refused(
    () =>
      encode(codec, {
        points: [
          { x: 1, y: 2 },
          { x: 256, y: 2 },
        ],
      }),
    'invalid',
    's.points[1].x',
    4,
  );
});

test('a count of four thousand million is refused before anything is read or made', () => {
  const codec = list(u32be, zeros(0), 16);
  const error = refused(() => decode(codec, new Uint8Array(4).fill(0xff)), 'limit', codec.name, 0);
  assert.match(error.message, /4294967295 exceeds 16/);
});

test('a count that is no count is refused', () => {
  for (const bad of [NaN, -1, 0.5, untyped('1'), untyped(undefined)]) {
    const odd = list(
      mapped(
        'odd',
        u8,
        () => bad,
        () => 0,
      ),
      u8,
      9,
    );
    refused(() => decode(odd, Uint8Array.of(1, 2)), 'invalid', odd.name, 0);
  }
});

test('listOf: as an earlier field says', () => {
  const codec = struct('s', { n: u8, gap: u8, items: listOf('n', u8, 2) });
  refusesOtherLengths(codec, Uint8Array.of(2, 0, 7, 8));
  refused(() => decode(codec, Uint8Array.of(3, 0, 7, 8, 9)), 'limit', 's.items', 2);
  refused(() => encode(codec, { n: 1, gap: 0, items: [1, 2] }), 'invalid', 's.items', 2);
  refused(() => encode(codec, { n: 3, gap: 0, items: [1, 2, 3] }), 'limit', 's.items', 2);
  for (const x of NOT_LISTS) refused(() => encode(codec, untyped({ n: 2, gap: 0, items: x })), 'invalid', 's.items', 2);
  const wide = struct('s', { n: u64le, items: listOf('n', u8, 2) });
  refusesOtherLengths(wide, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 7, 8));
  refused(() => decode(wide, new Uint8Array(8).fill(0xff)), 'limit', 's.items', 8);
  const unknown = struct('s', { items: listOf('n', u8, 2) });
  refused(() => decode(unknown, new Uint8Array(0)), 'invalid', 's.items', 0);
  refused(() => encode(unknown, { items: [] }), 'invalid', 's.items', 0);
});

test('listToEnd: until the window ends', () => {
  const codec = sized(u8, listToEnd(u16be, 2), 9);
  roundTrips(codec, fc.array(fc.nat(0xffff), { maxLength: 2 }));
  isFaithful(codec, 8);
  refused(() => decode(codec, Uint8Array.of(3, 0, 1, 0)), 'truncated', `${codec.name}[1]`, 3);
  refused(() => decode(codec, Uint8Array.of(6, 0, 1, 0, 2, 0, 3)), 'limit', `${codec.name}[2]`, 5);
  refused(() => encode(codec, [1, 2, 3]), 'limit', codec.name, 1);
  for (const x of NOT_LISTS) refused(() => encode(codec, untyped(x)), 'invalid', codec.name, 1);
});

test('listToEnd: an item without bytes neither loops nor is lost', () => {
  const codec = listToEnd(zeros(0), 9);
  refused(() => decode(codec, Uint8Array.of(1)), 'invalid', `${codec.name}[1]`, 0);
  refused(() => encode(listToEnd(rest, 9), [new Uint8Array(0)]), 'invalid', `${listToEnd(rest, 9).name}[0]`, 0);
});

test('a limit that is none is refused where it is declared', () => {
  for (const max of [-1, NaN, Infinity, untyped(undefined)]) {
    assert.throws(() => list(u8, u8, max), /whole number/);
    assert.throws(() => listOf('n', u8, max), /whole number/);
    assert.throws(() => listToEnd(u8, max), /whole number/);
  }
});
