// SPDX-License-Identifier: Apache-2.0
// Checked by the compiler; what runs here only says that the file was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attempt,
  attempt,
  type Captured,
  constant,
  decode,
  encode,
  enumOf,
  flags,
  type Infer,
  listOf,
  openEnumOf,
  openFlags,
  optional,
  rest,
  select,
  struct,
  u8,
  u16be,
  u32be,
  u64be,
  withBytes,
  zeros,
} from '@vouchsafe/codec';

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const expectType = <_T extends true>(): void => {};

const simple = struct('s', {
  a: u8,
  big: [u64be, 'documented'],
  pad: zeros(3),
  docPad: [zeros(1), 'documented'],
  kind: enumOf(u8, { x: 1, y: 2 }),
  open: openEnumOf(u16be, { p: 1, q: 2 }),
  magic: constant(u32be, 7),
  items: listOf('a', u16be, 3),
  bits: flags(u8, { low: 0 }),
  word: openFlags(u8, { high: 7 }),
  kept: withBytes(u8),
  tried: attempt(u8),
  later: optional(u32be),
});
expectType<
  Equals<
    Infer<typeof simple>,
    {
      a: number;
      big: bigint;
      kind: 'x' | 'y';
      open: 'p' | 'q' | number;
      magic: number;
      items: number[];
      bits: { readonly low: boolean };
      word: { readonly high: boolean } & { readonly unnamed: bigint };
      kept: Captured<number>;
      tried: Attempt<number>;
      later: number | undefined;
    }
  >
>();

const closed = struct('s', {
  head: u8,
  type: enumOf(u16be, { certify: 1, quote: 2 }),
  body: select('type', { certify: u32be, quote: struct('q', { digest: rest }) }),
});
type Closed = Infer<typeof closed>;
expectType<
  Equals<
    Closed,
    { head: number; type: 'certify'; body: number } | { head: number; type: 'quote'; body: { digest: Uint8Array } }
  >
>();

const open = struct('s', {
  pad: zeros(1),
  type: openEnumOf(u16be, { a: 1, b: 2, c: 3 }),
  body: select('type', { a: u32be, b: u64be }, rest),
  more: [select('type', { a: rest, b: u8 }, rest), 'a second union over the same field'],
});
type Open = Infer<typeof open>;
expectType<
  Equals<
    Open,
    | { type: 'a'; body: number; more: Uint8Array }
    | { type: 'b'; body: bigint; more: number }
    | { type: 'c' | number; body: Uint8Array; more: Uint8Array }
  >
>();

test('a closed union is narrowed by its selector', () => {
  const value: Closed = decode(closed, Uint8Array.of(9, 0, 2, 7));
  assert.equal(value.type as unknown, 'quote');
  if (value.type === 'quote') expectType<Equals<typeof value.body, { digest: Uint8Array }>>();
  else expectType<Equals<typeof value.body, number>>();
});

test('an open union is narrowed too', () => {
  const value: Open = decode(open, Uint8Array.of(0, 0, 1, 0, 0, 0, 7));
  assert.equal(value.type as unknown, 'a');
  if (value.type === 'a') expectType<Equals<typeof value.body, number>>();
  if (value.type === 'b') expectType<Equals<typeof value.body, bigint>>();
  if (typeof value.type === 'number') expectType<Equals<typeof value.body, Uint8Array>>();
});

test('wrong values do not compile', () => {
  const refusedByTheCompiler: (() => void)[] = [
    // @ts-expect-error an arm that belongs to another selector
    () => encode(closed, { head: 1, type: 'certify', body: { digest: rest } }),
    // @ts-expect-error no such member
    () => encode(closed, { head: 1, type: 'other', body: 1 }),
    // @ts-expect-error a field is missing
    () => encode(closed, { type: 'certify', body: 1 }),
    // @ts-expect-error reserved space has no value
    () => encode(struct('s', { a: u8, pad: zeros(1) }), { a: 1, pad: 0 }),
    // @ts-expect-error 64-bit integers are bigints
    () => encode(u64be, 1),
    // @ts-expect-error a limit is mandatory
    () => listOf('n', u8),
  ];
  assert.equal(refusedByTheCompiler.length, 6);
});
