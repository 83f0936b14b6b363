// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, optional, rest, sized, struct, u8, u16be, u64le, zeros } from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, plain, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const codec = struct('s', {
  a: u8,
  gap: zeros(1),
  b: [u16be, 'documented'],
  in: struct('inner', { c: u8, d: sized(u8, rest, 4) }),
});

test('fields are in the order of the declaration, and reserved space is not among them', () => {
  const value = { a: 1, b: 2, in: { c: 3, d: Uint8Array.of(4) } };
  assert.deepEqual(encode(codec, value), Uint8Array.of(1, 0, 0, 2, 3, 1, 4));
  assert.deepEqual(decode(codec, Uint8Array.of(1, 0, 0, 2, 3, 1, 4)), value);
  assert.deepEqual(Object.keys(decode(codec, Uint8Array.of(1, 0, 0, 2, 3, 1, 4))), ['a', 'b', 'in']);
  refusesOtherLengths(codec, Uint8Array.of(1, 0, 0, 2, 3, 1, 4));
  isFaithful(codec, 10);
  const blob = fc.uint8Array({ maxLength: 4 });
  const inner = fc.record({ c: fc.nat(255), d: blob }, plain);
  roundTrips(codec, fc.record({ a: fc.nat(255), b: fc.nat(0xffff), in: inner }, plain));
});

test('the size is known when that of every field is', () => {
  assert.equal(struct('s', { a: u8, b: zeros(3), c: u64le }).size, 12);
  assert.equal(codec.size, undefined);
  assert.equal(struct('s', {}).size, 0);
  assert.deepEqual(decode(struct('s', {}), new Uint8Array(0)), {});
});

test('what is not an object is refused, wherever it stands', () => {
  for (const value of [undefined, null, 5, 'abc', () => 0, Symbol('s')]) {
    refused(() => encode(codec, untyped(value)), 'invalid', 's', 0);
    refused(() => encode(codec, untyped({ a: 1, b: 2, in: value })), 'invalid', 's.in', 4);
  }
  refused(() => encode(codec, untyped({})), 'invalid', 's.a', 0);
  refused(() => encode(codec, untyped({ a: 1, b: 2 })), 'invalid', 's.in', 4);
});

test('a name that would not be a field like any other is refused', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    '0',
    '12',
    '',
    'a-b',
    'a b',
    'é',
    'a;b',
    '1a',
  ];
  for (const name of names) assert.throws(() => struct('s', { a: u8, [name]: u8 }), /name of a field/, name);
  assert.throws(() => struct('s', { a: u8, __proto__: u8 } as never), /name of a field/);
});

test('reserved words are names like any other', () => {
  const words = [
    'class',
    'new',
    'return',
    'get',
    'set',
    'async',
    'await',
    'static',
    'yield',
    'let',
    'this',
    'null',
    'arguments',
    'eval',
    'v',
    'o',
  ];
  const odd = struct('s', Object.fromEntries(words.map((word) => [word, u8])));
  const value = Object.fromEntries(words.map((word, i) => [word, i]));
  assert.deepEqual(encode(odd, value), Uint8Array.from(words.keys()));
  assert.deepEqual(decode(odd, Uint8Array.from(words.keys())), value);
});

test('two readings of one structure share nothing', () => {
  const pair = struct('pair', { a: u8, b: u8 });
  const first = decode(pair, Uint8Array.of(1, 2));
  const second = decode(pair, Uint8Array.of(3, 4));
  assert.deepEqual(
    [first, second],
    [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
  );
});

test('a structure inside itself, as its own optional tail', () => {
  let depth = 0;
  const chain = struct('chain', {
    a: u8,
    next: optional({
      name: 'chain',
      size: undefined,
      read: (r, scope): unknown => {
        depth++;
        return chain.read(r, scope);
      },
      write: (w, value: unknown, scope) => chain.write(w, value as never, scope),
    }),
  });
  const value = decode(chain, Uint8Array.of(1, 2, 3));
  assert.deepEqual(value, { a: 1, next: { a: 2, next: { a: 3, next: undefined } } });
  assert.deepEqual(encode(chain, value), Uint8Array.of(1, 2, 3));
  assert.equal(depth, 2);
});
