// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  type Codec,
  decode,
  decodeAt,
  encode,
  list,
  mapped,
  rest,
  struct,
  u8,
  u16be,
  u32be,
} from '@vouchsafe/codec';
import { refused } from './support.ts';

test('decodeAt: from an offset, and where the next byte is', () => {
  const input = Uint8Array.of(9, 1, 2, 3);
  assert.deepEqual(decodeAt(u16be, input, 1), { value: 0x0102, end: 3 });
  assert.deepEqual(decodeAt(rest, input, 4), { value: new Uint8Array(0), end: 4 });
  refused(() => decodeAt(u16be, input, 3), 'truncated', 'u16be', 3);
  refused(() => decodeAt(u16be, input, 5), 'truncated', 'u16be', 0);
  refused(() => decodeAt(u16be, input, -1), 'truncated', 'u16be', 0);
  for (const at of [NaN, 0.5, Infinity]) refused(() => decodeAt(u16be, input, at), 'invalid', 'u16be', 0);
});

test('input that is a view of a larger buffer is not left', () => {
  const whole = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const part = whole.subarray(2, 4);
  assert.equal(decode(u16be, part), 0x0304);
  refused(() => decode(u32be, part), 'truncated', 'u32be', 0);
  assert.deepEqual(decode(rest, part), Uint8Array.of(3, 4));
});

test('an encoding inside an encoding has a buffer of its own', () => {
  const inner = struct('inner', { a: u8, b: u16be });
  const nested = mapped(
    'nested',
    bytes(3),
    (octets) => decode(inner, octets),
    (value) => encode(inner, value),
  );
  const outer = struct('outer', { head: u32be, first: nested, second: nested, tail: u8 });
  const value = { head: 1, first: { a: 2, b: 3 }, second: { a: 4, b: 5 }, tail: 6 };
  const octets = encode(outer, value);
  assert.deepEqual(octets, Uint8Array.of(0, 0, 0, 1, 2, 0, 3, 4, 0, 5, 6));
  assert.deepEqual(decode(outer, octets), value);
});

test('a getter that encodes while its structure is encoded does no harm', () => {
  const pair = struct('pair', { a: u8, b: u8 });
  let inside: Uint8Array | undefined;
  const tricky = {
    a: 1,
    get b() {
      inside = encode(pair, { a: 7, b: 8 });
      return 2;
    },
  };
  assert.deepEqual(encode(pair, tricky), Uint8Array.of(1, 2));
  assert.deepEqual(inside, Uint8Array.of(7, 8));
});

test('a failed encoding leaves nothing behind, and results are not shared', () => {
  const codec = list(u8, u8, 9);
  const first = encode(codec, [1, 2, 3]);
  refused(() => encode(codec, [1, 256]), 'invalid', `${codec.name}[1]`, 2);
  const throwing: Codec<void> = {
    ...u8,
    write: (w) => {
      w.putZeros(3);
      throw new TypeError('defect');
    },
  } as Codec<void>;
  assert.throws(() => encode(throwing, undefined), TypeError);
  assert.deepEqual(encode(codec, [4]), Uint8Array.of(1, 4));
  assert.deepEqual(first, Uint8Array.of(3, 1, 2, 3));
});

test('every size of output, around what the buffer holds and what it keeps', () => {
  for (const n of [0, 1, 255, 256, 257, 4095, 4096, 4097, 8192, 65535, 65536, 65537, 200_000]) {
    const value = new Uint8Array(n).fill(n % 251);
    const octets = encode(rest, value);
    assert.deepEqual(octets, value);
    assert.equal(octets.buffer.byteLength, n, 'the result owns no more than itself');
    octets.fill(0xee);
    assert.deepEqual(encode(rest, value), value);
  }
});
