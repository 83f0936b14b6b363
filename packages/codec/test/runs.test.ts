// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Codec,
  decode,
  encode,
  enumOf,
  mapped,
  openEnumOf,
  struct,
  u8,
  u16be,
  u16le,
  u32be,
  u32le,
  u64be,
  u64le,
} from '@vouchsafe/codec';
import fc from 'fast-check';
import { acceptsFaithfully, plain, refused, refusesOtherLengths, untyped } from './support.ts';

const KIND = { a: 1, b: 2 };
const run = {
  one: u8,
  two: u16be,
  three: u16le,
  four: u32be,
  five: u32le,
  six: u64be,
  seven: u64le,
  closed: enumOf(u8, KIND),
  open: openEnumOf(u16be, KIND),
};
/** The same codec without the mark that puts it into a run. */
const alone = <T>(codec: Codec<T>): Codec<T> =>
  mapped(
    codec.name,
    codec,
    (x) => x,
    (x) => x,
  );
const fast = struct('record', run);
const slow = struct('record', {
  one: alone(u8),
  two: alone(u16be),
  three: alone(u16le),
  four: alone(u32be),
  five: alone(u32le),
  six: alone(u64be),
  seven: alone(u64le),
  closed: alone(run.closed),
  open: alone(run.open),
});
const n = (max: number) => fc.integer({ min: 0, max });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const values = fc.record(
  {
    one: n(0xff),
    two: n(0xffff),
    three: n(0xffff),
    four: n(0xffffffff),
    five: n(0xffffffff),
    six: u64,
    seven: u64,
    closed: fc.constantFrom('a' as const, 'b' as const),
    open: fc.oneof(fc.constantFrom('a' as const, 'b' as const), fc.integer({ min: 3, max: 0xffff })),
  },
  plain,
);

test('a run of integers is written and read as its fields are one by one', () => {
  fc.assert(
    fc.property(values, (value) => {
      const octets = encode(fast, value);
      assert.deepEqual(octets, encode(slow, value));
      const back = decode(fast, octets);
      assert.deepEqual(back, value);
      assert.deepEqual(Object.keys(back), Object.keys(decode(slow, octets)));
    }),
  );
});

test('errors in a run are those of the fields one by one', () => {
  const good = encode(fast, { one: 1, two: 2, three: 3, four: 4, five: 5, six: 6n, seven: 7n, closed: 'a', open: 'b' });
  refusesOtherLengths(fast, good);
  for (let length = 0; length < good.length; length++) {
    const messageOf = (codec: Codec<unknown>): string => {
      try {
        decode(codec, good.subarray(0, length));
      } catch (error) {
        return String(error);
      }
      return 'accepted';
    };
    assert.equal(messageOf(fast), messageOf(slow));
  }
  const odd = good.slice();
  odd[29] = 3;
  refused(() => decode(fast, odd), 'unknown_value', 'record.closed', 29);
  odd[29] = 1;
  odd[31] = 9;
  assert.ok(acceptsFaithfully(fast, odd));
});

test('a value that does not fit its field is refused where the field is', () => {
  const value = { one: 1, two: 2, three: 3, four: 4, five: 5, six: 6n, seven: 7n, closed: 'a', open: 'b' };
  const wrong: [string, unknown, number, 'invalid' | 'unknown_value'][] = [
    ['one', 256, 0, 'invalid'],
    ['two', -1, 1, 'invalid'],
    ['three', 65536, 3, 'invalid'],
    ['four', 2 ** 32, 5, 'invalid'],
    ['five', 1.5, 9, 'invalid'],
    ['six', 2n ** 64n, 13, 'invalid'],
    ['seven', -1n, 21, 'invalid'],
    ['seven', 7, 21, 'invalid'],
    ['one', 1n, 0, 'invalid'],
    ['closed', 'c', 29, 'unknown_value'],
    ['closed', 1, 29, 'unknown_value'],
    ['closed', undefined, 29, 'unknown_value'],
    ['open', 'constructor', 30, 'unknown_value'],
  ];
  for (const [field, x, offset, code] of wrong) {
    refused(() => encode(fast, untyped({ ...value, [field]: x })), code, `record.${field}`, offset);
  }
  assert.deepEqual(encode(fast, { ...value, one: -0 } as never), encode(fast, { ...value, one: 0 } as never));
});
