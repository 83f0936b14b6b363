// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attempt,
  CodecError,
  decode,
  encode,
  listToEnd,
  rest,
  sized,
  struct,
  u8,
  u16be,
  withBytes,
} from '@vouchsafe/codec';
import { isFaithful, refused, refusesOtherLengths, untyped } from './support.ts';

const point = struct('point', { x: u8, y: u16be });

test('withBytes: the exact bytes, as a view of the input', () => {
  const codec = struct('s', { head: u8, signed: withBytes(point), tail: u8 });
  const input = Uint8Array.of(9, 1, 0, 2, 8);
  refusesOtherLengths(codec, input);
  const { signed } = decode(codec, input);
  assert.deepEqual(signed, { value: { x: 1, y: 2 }, bytes: Uint8Array.of(1, 0, 2) });
  assert.equal(signed.bytes.buffer, input.buffer);
  assert.equal(signed.bytes.byteOffset, 1);
});

test('withBytes: what was signed is what is written', () => {
  const changed = { value: { x: 7, y: 7 }, bytes: Uint8Array.of(1, 0, 2) };
  assert.deepEqual(encode(withBytes(point), changed), Uint8Array.of(1, 0, 2));
  refused(() => encode(withBytes(point), { ...changed, bytes: new Uint8Array(4) }), 'invalid', 'point', 0);
  for (const x of [undefined, null, {}, { value: changed.value }]) {
    refused(() => encode(withBytes(point), untyped(x)), 'invalid', 'point', 0);
  }
});

const records = struct('log', { records: listToEnd(sized(u8, attempt(point), 9), 9) });

test('attempt: what does not decode is kept as it is, with the reason', () => {
  const input = Uint8Array.of(3, 1, 0, 2, 2, 7, 7, 4, 1, 0, 2, 9, 0, 3, 5, 0, 6);
  const log = decode(records, input).records;
  assert.deepEqual(
    log.map((record) => (record.known ? record.value : record.bytes)),
    [{ x: 1, y: 2 }, Uint8Array.of(7, 7), Uint8Array.of(1, 0, 2, 9), new Uint8Array(0), { x: 5, y: 6 }],
  );
  const [, short, long] = log;
  assert.ok(short?.known === false && short.error instanceof CodecError);
  assert.deepEqual([short.error.code, short.error.path, short.error.offset], ['truncated', 'point.y', 6]);
  assert.ok(long?.known === false);
  assert.deepEqual([long.error.code, long.error.path, long.error.offset], ['trailing_bytes', 'point', 11]);
  assert.deepEqual(encode(records, { records: log }), input);
  isFaithful(records);
});

test('attempt: a failure deep inside leaves no window behind', () => {
  const deep = struct('deep', { a: sized(u8, sized(u8, struct('in', { x: u8, y: u8 }), 9), 9) });
  const codec = struct('s', { odd: sized(u8, attempt(deep), 9), after: u16be, more: sized(u8, rest, 9) });
  const input = Uint8Array.of(4, 2, 1, 7, 7, 0x12, 0x34, 2, 8, 9);
  const value = decode(codec, input);
  assert.equal(value.odd.known, false);
  assert.equal(value.after, 0x1234);
  assert.deepEqual(value.more, Uint8Array.of(8, 9));
  assert.deepEqual(encode(codec, value), input);
  refusesOtherLengths(codec, input);
});

test('attempt: a defect is not taken for odd bytes', () => {
  const broken = {
    ...u8,
    read: () => {
      throw new TypeError('defect');
    },
  };
  assert.throws(() => decode(attempt(broken), Uint8Array.of(1)), TypeError);
  for (const x of [undefined, null, {}, { known: false }]) {
    refused(() => encode(attempt(point), untyped(x)), 'invalid', 'point, or any bytes', 0);
  }
});
