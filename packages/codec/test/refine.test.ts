// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  CodecError,
  checked,
  constant,
  decode,
  encode,
  mapped,
  rest,
  struct,
  u8,
  u16be,
  u32be,
} from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

test('constant: one value and no other, read and written', () => {
  const codec = struct('s', { x: u8, magic: constant(u32be, 0xff544347) });
  refusesOtherLengths(codec, Uint8Array.of(0, 0xff, 0x54, 0x43, 0x47));
  for (let bit = 0; bit < 32; bit++) {
    const input = Uint8Array.of(0, 0xff, 0x54, 0x43, 0x47);
    const at = 1 + (bit >> 3);
    input[at] = (input[at] as number) ^ (1 << (bit & 7));
    refused(() => decode(codec, input), 'mismatch', 's.magic', 1);
  }
  refused(() => encode(codec, { x: 0, magic: 1 }), 'mismatch', 's.magic', 1);
  assert.deepEqual(encode(codec, untyped({ x: 1 })), Uint8Array.of(1, 0xff, 0x54, 0x43, 0x47));
});

test('constant: bytes are compared by content', () => {
  const codec = constant(bytes(2), Uint8Array.of(1, 2));
  assert.deepEqual(encode(codec, Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
  const error = refused(() => decode(codec, Uint8Array.of(1, 3)), 'mismatch', codec.name, 0);
  assert.match(error.message, /expected 0102, got 0103/);
});

const even = mapped(
  'half',
  u16be,
  (n) => {
    if (n % 2 === 1) throw new Error('odd');
    return n / 2;
  },
  (n) => n * 2,
);

test('mapped: another view of the same bytes', () => {
  roundTrips(even, fc.nat(0x7fff));
  isFaithful(even, 3);
  refusesOtherLengths(even, Uint8Array.of(0, 2));
});

test('mapped: what it throws gets the place, and stays as the cause', () => {
  const codec = struct('s', { gap: u8, half: even });
  const error = refused(() => decode(codec, Uint8Array.of(0, 0, 1)), 'invalid', 's.half', 1);
  assert.ok(error.cause instanceof Error && error.cause.message === 'odd');
  refused(() => encode(codec, { gap: 0, half: 0x8000 }), 'invalid', 's.half', 1);
  refused(() => encode(codec, untyped({ gap: 0, half: Symbol('s') })), 'invalid', 's.half', 1);
  const odd = mapped(
    'odd',
    u8,
    () => {
      throw 'text';
    },
    () => 0,
  );
  assert.match(refused(() => decode(odd, Uint8Array.of(0)), 'invalid', 'odd', 0).message, /text/);
});

test('mapped: the error of a nested decode keeps its code, its path and its cause', () => {
  const pair = struct('pair', { a: u8, b: u8 });
  const nested = mapped(
    'nested',
    rest,
    (octets) => decode(pair, octets),
    (value) => encode(pair, value),
  );
  const codec = struct('s', { gap: u8, nested });
  assert.deepEqual(encode(codec, { gap: 1, nested: { a: 2, b: 3 } }), Uint8Array.of(1, 2, 3));
  const error = refused(() => decode(codec, Uint8Array.of(1, 2)), 'truncated', 's.nested', 1);
  assert.match(error.message, /pair\.b @0x1: needs 1 bytes/);
  assert.ok(error.cause instanceof CodecError && error.cause.offset === 1);
  refused(() => encode(codec, { gap: 1, nested: { a: 2, b: 256 } }), 'invalid', 's.nested', 1);
});

test('checked: both ways', () => {
  const codec = checked(u8, (n) => n < 2, '0 or 1');
  refusesOtherLengths(codec, Uint8Array.of(1));
  const error = refused(() => decode(codec, Uint8Array.of(2)), 'invalid', codec.name, 0);
  assert.match(error.message, /expected 0 or 1, got 0x2/);
  refused(() => encode(codec, 2), 'invalid', codec.name, 0);
});

test('a message does not grow with the input', () => {
  const codec = checked(rest, () => false, 'nothing');
  const error = refused(() => decode(codec, new Uint8Array(1_000_000)), 'invalid', codec.name, 0);
  assert.ok(error.message.length < 300);
});
