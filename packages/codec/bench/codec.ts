// SPDX-License-Identifier: Apache-2.0
import {
  type Codec,
  decode,
  encode,
  enumOf,
  list,
  rest,
  sized,
  struct,
  u8,
  u16be,
  u16le,
  u32be,
  u64be,
  u64le,
} from '@vouchsafe/codec';
import type { Bench, BenchCase, BenchGoal } from '@vouchsafe/testing';
import {
  decodeEvents,
  decodeEventsByHand,
  decodeRecords,
  decodeRecordsByHand,
  encodeRecords,
  encodeRecordsByHand,
} from './records.ts';
import { decodeQuoteByHand, encodeQuoteByHand, QUOTE, tpmsAttest } from './tpms-attest.ts';

/** Declared is at most three times as slow as written by hand. */
const GOAL: BenchGoal = { time: 'cpuMs', statistic: 'median', atLeast: 1 / 3 };
const WARM_UP_ROUNDS = 3000;

/**
 * Uses the codec as a program does, with many formats: a compiler that has seen one structure only makes code for that
 * one, and the figures would be too good.
 */
function warmUp(): number {
  const blob = sized(u8, rest, 9);
  const kind = enumOf(u8, { a: 1, b: 2 });
  const octets = Uint8Array.of(1, 2);
  const formats = [
    formatOf(struct('one', { a: u8, b: u16be }), { a: 1, b: 2 }),
    formatOf(struct('two', { c: u32be, kind, d: blob }), { c: 1, kind: 'a', d: octets }),
    formatOf(struct('three', { e: blob, f: u64be, g: u64le }), { e: octets, f: 1n, g: 2n }),
    formatOf(struct('four', { h: list(u8, u16le, 4), i: kind }), { h: [1, 2], i: 'b' }),
    formatOf(struct('five', { j: u16le, k: kind, l: u8, m: u64le, n: u32be }), { j: 1, k: 'b', l: 2, m: 3n, n: 4 }),
    formatOf(struct('six', { o: struct('in', { p: u8, q: blob }), r: u8 }), { o: { p: 1, q: octets }, r: 2 }),
  ];
  let used = 0;
  for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const run of formats) used += run();
  return used;
}

function formatOf<T>(codec: Codec<T>, value: T): () => number {
  const item = list(u8, codec, 2);
  return () => decode(item, encode(item, [value, value])).length;
}

/** Both sides are called through one name and give their result back, so that none of the work can be left out. */
function pair(name: string, ours: () => unknown, byHand: () => unknown): BenchCase {
  return {
    name,
    ours: { kind: 'function', label: 'declared', run: ours },
    peer: { kind: 'function', label: 'by hand', run: byHand },
    goals: [GOAL],
  };
}

export const bench: Bench = {
  name: 'codec',
  description: 'declared structures, beside the same written by hand with DataView',
  cases: () => {
    if (warmUp() === 0) throw new Error('nothing was decoded');
    const quote = encode(tpmsAttest, QUOTE);
    const records = decodeRecords();
    return [
      pair(
        'TPMS_ATTEST, decode',
        () => decode(tpmsAttest, quote),
        () => decodeQuoteByHand(quote),
      ),
      pair(
        'TPMS_ATTEST, encode',
        () => encode(tpmsAttest, QUOTE),
        () => encodeQuoteByHand(QUOTE),
      ),
      pair('100,000 records of integers, decode', decodeRecords, decodeRecordsByHand),
      pair(
        '100,000 records of integers, encode',
        () => encodeRecords(records),
        () => encodeRecordsByHand(records),
      ),
      pair('100,000 events with bytes, decode', decodeEvents, decodeEventsByHand),
    ];
  },
};
