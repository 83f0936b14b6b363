// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asciiCell, decode, encode, rest, struct, u8, utf16le, utf16leCell, utf16leNul } from '@vouchsafe/codec';
import fc from 'fast-check';
import { acceptsFaithfully, isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const NOT_TEXT = [undefined, null, 5, {}, ['a'], Uint8Array.of(65)];
/** Any UTF-16 code units, lone surrogates too, but for NUL. */
const units = (maxLength: number) =>
  fc.array(fc.integer({ min: 1, max: 0xffff }), { maxLength }).map((codes) => String.fromCharCode(...codes));

test('asciiCell: text, then NULs', () => {
  const codec = asciiCell(4);
  roundTrips(
    codec,
    fc.array(fc.integer({ min: 1, max: 0x7f }), { maxLength: 4 }).map((codes) => String.fromCharCode(...codes)),
  );
  isFaithful(codec, 5);
  refusesOtherLengths(codec, Uint8Array.of(0x61, 0x62, 0, 0));
  assert.equal(decode(codec, Uint8Array.of(0x61, 0x62, 0x63, 0x64)), 'abcd');
  assert.equal(decode(codec, new Uint8Array(4)), '');
  const gap = struct('s', { gap: u8, cell: codec });
  refused(() => decode(gap, Uint8Array.of(0, 0x61, 0, 0x62, 0)), 'invalid', 's.cell', 1);
  refused(() => decode(codec, Uint8Array.of(0x80, 0, 0, 0)), 'invalid', codec.name, 0);
  for (const text of ['abcde', 'a\0b', '\0', 'ä', ...NOT_TEXT]) {
    refused(() => encode(codec, untyped(text)), 'invalid', codec.name, 0);
  }
});

test('utf16le: every code unit, lone surrogates too', () => {
  const codec = utf16le(rest);
  roundTrips(codec, units(20));
  isFaithful(codec, 9);
  assert.deepEqual(encode(codec, 'a\u20ac\0'), Uint8Array.of(0x61, 0, 0xac, 0x20, 0, 0));
  assert.ok(acceptsFaithfully(codec, Uint8Array.of(0x00, 0xd8)));
  assert.ok(acceptsFaithfully(codec, new Uint8Array(0)));
  refused(() => decode(codec, new Uint8Array(3)), 'invalid', codec.name, 0);
  for (const text of NOT_TEXT) refused(() => encode(codec, untyped(text)), 'invalid', codec.name, 0);
  const long = 'x\u{1f600}'.repeat(10_000);
  assert.equal(decode(codec, encode(codec, long)), long);
});

test('utf16leNul: one NUL, at the end', () => {
  const codec = utf16leNul(rest);
  roundTrips(codec, units(8));
  isFaithful(codec, 9);
  assert.deepEqual(encode(codec, ''), Uint8Array.of(0, 0));
  for (const input of [[], [0x61, 0], [0, 0, 0, 0], [0x61, 0, 0, 0, 0, 0], [0, 0, 0x61, 0], [0, 0, 0]]) {
    refused(() => decode(codec, Uint8Array.from(input)), 'invalid', codec.name, 0);
  }
  for (const text of ['a\0', '\0', ...NOT_TEXT]) refused(() => encode(codec, untyped(text)), 'invalid', codec.name, 0);
});

test('utf16leCell: text, then NULs', () => {
  const codec = utf16leCell(3);
  roundTrips(codec, units(3));
  isFaithful(codec, 7);
  refusesOtherLengths(codec, Uint8Array.of(0x61, 0, 0, 0, 0, 0));
  refused(() => decode(codec, Uint8Array.of(0x61, 0, 0, 0, 0x62, 0)), 'invalid', codec.name, 0);
  for (const text of ['abcd', 'a\0b', '\0', ...NOT_TEXT])
    refused(() => encode(codec, untyped(text)), 'invalid', codec.name, 0);
});

test('a capacity that is none is refused where it is declared', () => {
  for (const n of [-1, NaN, 0.5]) {
    assert.throws(() => asciiCell(n), /whole number/);
    assert.throws(() => utf16leCell(n), /whole number/);
  }
});
