// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aligned,
  type Codec,
  checked,
  decode,
  encode,
  mapped,
  optional,
  rest,
  sized,
  sizedOf,
  struct,
  u8,
  u16be,
  u64be,
  zeros,
} from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, plain, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

test('sized: a length, then exactly that much', () => {
  const codec = struct('s', { blob: sized(u16be, rest, 4), after: u8 });
  roundTrips(codec, fc.record({ blob: fc.uint8Array({ maxLength: 4 }), after: fc.nat(255) }, plain));
  isFaithful(codec, 8);
  refusesOtherLengths(codec, Uint8Array.of(0, 2, 7, 8, 9));
  refused(() => decode(codec, Uint8Array.of(0, 5, 1, 2, 3, 4, 5, 6)), 'limit', 's.blob', 0);
  refused(() => decode(codec, Uint8Array.of(0, 4, 1, 2, 3)), 'truncated', 's.blob', 2);
  refused(() => encode(codec, { blob: new Uint8Array(5), after: 0 }), 'limit', 's.blob', 0);
});

test('a window ends where it says: nothing is read past it, nothing is left in it', () => {
  const codec = sized(u8, struct('in', { a: u8, b: u16be }), 9);
  refused(() => decode(codec, Uint8Array.of(2, 1, 2, 3)), 'truncated', `${codec.name}.b`, 2);
  refused(() => decode(codec, Uint8Array.of(4, 1, 2, 3, 4)), 'trailing_bytes', codec.name, 4);
  const nested = sized(u8, sized(u8, rest, 9), 9);
  refused(() => decode(nested, Uint8Array.of(2, 2, 7, 7)), 'truncated', nested.name, 2);
  refused(() => decode(nested, Uint8Array.of(3, 1, 7, 7)), 'trailing_bytes', nested.name, 3);
});

test('sized: the length codec is asked about the length only', () => {
  const atLeast2 = sized(
    checked(u8, (n) => n >= 2, 'at least 2'),
    rest,
    9,
  );
  assert.deepEqual(encode(atLeast2, Uint8Array.of(1, 2)), Uint8Array.of(2, 1, 2));
  refused(() => encode(atLeast2, Uint8Array.of(1)), 'invalid', atLeast2.name, 0);
  const inclusive = sized(
    mapped(
      'inclusive',
      u8,
      (n) => n - 1,
      (n) => n + 1,
    ),
    rest,
    9,
  );
  refusesOtherLengths(inclusive, Uint8Array.of(3, 8, 9));
  refused(() => decode(inclusive, Uint8Array.of(0)), 'invalid', inclusive.name, 0);
  for (const bad of [NaN, -1, 0.5, untyped('2'), untyped(undefined)]) {
    const odd = sized(
      mapped(
        'odd',
        u8,
        () => bad,
        () => 0,
      ),
      rest,
      9,
    );
    refused(() => decode(odd, Uint8Array.of(1, 2)), 'invalid', odd.name, 0);
  }
  assert.throws(() => sized(untyped(rest), rest, 4), /fixed size/);
});

test('sizedOf: as an earlier field says', () => {
  const codec = struct('s', { size: u64be, blob: sizedOf('size', rest, 4) });
  const input = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2, 7, 8);
  refusesOtherLengths(codec, input);
  assert.deepEqual(decode(codec, input), { size: 2n, blob: Uint8Array.of(7, 8) });
  refused(
    () =>
      decode(
        codec,
        input.map((b, i) => (i === 0 ? 1 : b)),
      ),
    'limit',
    's.blob',
    8,
  );
  refused(
    () =>
      decode(
        codec,
        input.map((b, i) => (i === 7 ? 5 : b)),
      ),
    'limit',
    's.blob',
    8,
  );
  refused(() => encode(codec, { size: 3n, blob: new Uint8Array(2) }), 'invalid', 's.blob', 8);
  refused(() => encode(codec, { size: 5n, blob: new Uint8Array(5) }), 'limit', 's.blob', 8);
});

test('aligned: the padding is zero and as long as it must be', () => {
  const codec = struct('s', { head: u8, blob: aligned(sized(u8, rest, 8), 4), after: u8 });
  roundTrips(codec, fc.record({ head: fc.nat(255), blob: fc.uint8Array({ maxLength: 8 }), after: fc.nat(255) }, plain));
  refusesOtherLengths(codec, Uint8Array.of(1, 1, 9, 0, 0, 2));
  refused(() => decode(codec, Uint8Array.of(1, 1, 9, 0, 4, 2)), 'mismatch', 's.blob', 4);
  assert.equal(encode(codec, { head: 1, blob: new Uint8Array(3), after: 2 }).length, 6);
  assert.equal(aligned(u8, 4).size, 4);
  for (const n of [0, -4, NaN, 1.5]) assert.throws(() => aligned(u8, n), /whole number/);
});

test('optional: there or not, and nothing else behind', () => {
  const codec = struct('s', { a: u8, b: optional(u16be), c: optional(u8) });
  for (const input of [[1], [1, 0, 2], [1, 0, 2, 3]]) {
    assert.deepEqual(encode(codec, decode(codec, Uint8Array.from(input))), Uint8Array.from(input));
  }
  refused(() => decode(codec, Uint8Array.of(1, 2)), 'truncated', 's.b', 1);
  refused(() => encode(codec, { a: 1, b: undefined, c: 3 }), 'invalid', 's.c', 1);
});

test('optional: what is left out ends its window and no more', () => {
  const inner = struct('inner', { a: optional(u8) });
  const framed = struct('s', { first: sized(u8, inner, 4), size: u8, second: sizedOf('size', inner, 4), last: u8 });
  const value = { first: { a: undefined }, size: 0, second: { a: undefined }, last: 7 };
  assert.deepEqual(encode(framed, value), Uint8Array.of(0, 0, 7));
  assert.deepEqual(decode(framed, Uint8Array.of(0, 0, 7)), value);
  const open = struct('s', { inner, last: u8 });
  refused(() => encode(open, { inner: { a: undefined }, last: 7 }), 'invalid', 's.last', 0);
  const empty = struct('s', { size: u8, inner, none: sizedOf('size', rest, 4), last: u8 });
  const skipped = { size: 0, inner: { a: undefined }, none: new Uint8Array(0), last: 7 };
  refused(() => encode(empty, skipped), 'invalid', 's.last', 1);
  assert.deepEqual(encode(u8, 1), Uint8Array.of(1), 'the next encoding starts open');
});

test('optional: present is not absent', () => {
  refused(() => encode(optional(rest), new Uint8Array(0)), 'invalid', optional(rest).name, 0);
  isFaithful(optional(rest));
  assert.throws(() => optional(zeros(1)), /optional/);
  const hidden = optional(sized(u8, optional(u8), 4));
  refused(() => decode(hidden, Uint8Array.of(0)), 'invalid', hidden.name, 0);
});

test('reserved space stays without a value in a window and before padding', () => {
  const codec = struct('s', {
    n: u8,
    a: sized(u8, zeros(1), 4),
    b: aligned(zeros(1), 2),
    c: sizedOf('n', zeros(1), 4),
  });
  assert.deepEqual(decode(codec, Uint8Array.of(1, 1, 0, 0, 0, 0)), { n: 1 });
  assert.deepEqual(encode(codec, { n: 1 }), Uint8Array.of(1, 1, 0, 0, 0, 0));
});

test('a limit that is none is refused where it is declared', () => {
  const wrong: ((max: number) => Codec<unknown>)[] = [(max) => sized(u8, rest, max), (max) => sizedOf('n', rest, max)];
  for (const declare of wrong) {
    for (const max of [-1, NaN, Infinity, untyped(undefined)]) assert.throws(() => declare(max), /whole number/);
  }
});
