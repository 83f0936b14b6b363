// SPDX-License-Identifier: Apache-2.0
// Where a dynamic launch keeps its log: Intel's heap, and the resource table of Secure Launch.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { encode, u16le, u32le, u64le } from '@vouchsafe/codec';
import { decodeSlrTable, decodeTxtHeap } from '@vouchsafe/eventlog';
import fc from 'fast-check';
import { codeOf } from './support.ts';

const u16 = (value: number): Uint8Array => encode(u16le, value);
const u32 = (value: number): Uint8Array => encode(u32le, value);
const u64 = (value: number): Uint8Array => encode(u64le, BigInt(value));
const table = (...parts: readonly Uint8Array[]): Uint8Array => {
  const body = concatBytes(...parts);
  return concatBytes(u64(body.length + 8), body);
};
const element = (type: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const body = concatBytes(...parts);
  return concatBytes(u32(type), u32(body.length + 8), body);
};

/** OsSinitData up to its elements: version, flags, nine addresses and sizes, capabilities, the RSDP. */
const osSinit = (version: number): Uint8Array =>
  concatBytes(u32(version), u32(0), new Uint8Array(9 * 8), u32(0), u64(0x7fe0014));

const ELEMENTS = [
  element(1, u16(2), u16(1), u16(0)),
  element(5, u64(0x1000)),
  element(7, u32(1), u16(11), u16(0), u64(0x2000), u32(0x8000), u32(0), u32(0x40)),
  element(8, u64(0x3000), u32(0x8000), u32(0), u32(0x123)),
  element(0),
];

const heap = (version: number, elements: readonly Uint8Array[] = ELEMENTS): Uint8Array =>
  concatBytes(
    table(new Uint8Array(24)),
    table(new Uint8Array(100)),
    table(osSinit(version), ...elements),
    table(new Uint8Array(16)),
  );

test('TXT heap: pointers to logs of each kind, and none before version 6', () => {
  assert.deepEqual(decodeTxtHeap(heap(7)), [
    { format: 'txt_container', address: 0x1000n },
    { format: 'txt_descriptor', address: 0x2000n, sizeBytes: 0x8000, firstOffset: 0, nextOffset: 0x40 },
    { format: 'agile', address: 0x3000n, sizeBytes: 0x8000, firstOffset: 0, nextOffset: 0x123 },
  ]);
  assert.deepEqual(decodeTxtHeap(heap(5)), []);
});

test('TXT heap: every truncation of the first three tables, sizes that do not fit, and endless elements are errors', () => {
  const whole = heap(7);
  const end = whole.length - (16 + 8);
  for (let size = 0; size < end; size++) {
    assert.equal(
      codeOf(() => decodeTxtHeap(whole.subarray(0, size))),
      'log_malformed',
      `${size} octets`,
    );
  }
  for (const bad of [concatBytes(u32(8), u32(7)), concatBytes(u32(8), u32(0xffff_ffff)), element(7, u32(17))]) {
    assert.equal(
      codeOf(() => decodeTxtHeap(heap(7, [bad]))),
      'log_malformed',
    );
  }
  const many = Array.from({ length: 65 }, () => element(1));
  assert.equal(
    codeOf(() => decodeTxtHeap(heap(7, many))),
    'log_malformed',
  );
  assert.deepEqual(decodeTxtHeap(heap(7, many.slice(1))), []);
});

const slr = (entries: readonly Uint8Array[], change = 0): Uint8Array => {
  const body = concatBytes(...entries);
  return concatBytes(
    u32(0x4452544d),
    u16(1),
    u16(2),
    u32(16 + body.length + change),
    u32(0x1000),
    body,
    new Uint8Array(8),
  );
};
const logInfo = (format: number): Uint8Array => element(2, u16(format), u16(0), u32(0x8000), u64(0x4000));

test('resource table: the log of AMD and Intel launches; malformed ones', () => {
  const entries = [element(1, new Uint8Array(16)), logInfo(2), element(0xffff)];
  const expected = [{ format: 'agile', address: 0x4000n, sizeBytes: 0x8000 }];
  assert.deepEqual(decodeSlrTable(slr(entries)), expected);
  assert.deepEqual(decodeSlrTable(slr(entries.slice(0, 2))), expected);
  assert.equal(decodeSlrTable(slr([logInfo(1)]))[0]?.format, 'txt_container');
  const bad = [
    slr([logInfo(3)]),
    slr(entries, 9),
    slr(entries, -60),
    slr([concatBytes(u32(2), u32(4))]),
    slr(Array.from({ length: 65 }, () => element(9))),
    slr(entries).fill(0, 0, 1),
  ];
  for (const bytes of bad) {
    assert.equal(
      codeOf(() => decodeSlrTable(bytes)),
      'log_malformed',
    );
  }
  const whole = slr(entries);
  for (let size = 0; size < whole.length - 8; size++) {
    assert.equal(
      codeOf(() => decodeSlrTable(whole.subarray(0, size))),
      'log_malformed',
    );
  }
});

test('any octets are pointers or a coded error', () => {
  const seeds = [heap(7), slr([logInfo(2)])];
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      (seed, changes) => {
        const bytes = seed.slice();
        for (const [at, octet] of changes) bytes[at % bytes.length] = octet;
        for (const read of [decodeTxtHeap, decodeSlrTable]) {
          try {
            read(bytes);
          } catch (error) {
            assert.ok(error instanceof Error && 'code' in error && error.code === 'log_malformed');
          }
        }
      },
    ),
  );
});
