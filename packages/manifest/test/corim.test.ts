// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseHex, toHex } from '@vouchsafe/base';
import { BANKS, encodeCorim } from '@vouchsafe/manifest';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { decode } from 'cborg';
import fc from 'fast-check';
import { type CborValue, encodeCbor } from '../src/corim/cbor.ts';
import { sample } from './support.ts';

class Tagged {
  readonly tag: number;
  readonly value: unknown;
  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}
const tags = Object.assign(
  [],
  Object.fromEntries(
    [501, 506, 37, 32].map((tag) => [tag, (decodeContent: () => unknown) => new Tagged(tag, decodeContent())]),
  ),
);
const read = (bytes: Uint8Array): unknown => decode(bytes, { useMaps: true, strict: true, tags });

/** What a reader gives; a member that is not there fails the assertion on it. */
interface Node {
  readonly tag: number;
  readonly value: Node;
  readonly length: number;
  get(key: number): Node;
  at(index: number): Node;
  values(): Iterable<unknown>;
}

const comidOf = (corim: Uint8Array): Node => {
  const tag = (read(corim) as Node).value.get(1).at(0);
  return read(tag.value as unknown as Uint8Array) as Node;
};

test('a CoRIM as another reader sees it: a triple for each way to boot, PCRs as integrity registers', () => {
  const manifest = sample(BANKS);
  const corim = read(encodeCorim(manifest)) as Node;
  assert.deepEqual([corim.tag, corim.value.get(0), corim.value.get(1).at(0).tag], [501, 'edge 1.4.0', 506]);
  const triples = comidOf(encodeCorim(manifest)).get(4).get(0);
  assert.equal(triples.length, manifest.boots.length);
  for (const [i, boot] of manifest.boots.entries()) {
    const [environment, measurements] = [triples.at(i).at(0), triples.at(i).at(1)];
    assert.equal(environment.get(0).get(2), 'edge');
    assert.equal(measurements.length, boot.phases.length + boot.events.length);
    const registers = measurements.at(0).get(1).get(14);
    for (const pcr of boot.covers) {
      const digests = registers.get(pcr) as unknown as [number | string, Uint8Array][];
      const pcrs = boot.phases[0]?.pcrs;
      assert.deepEqual(
        digests.map(([algorithm, value]) => [algorithm, toHex(value)]),
        [
          ['sha-1', pcrs?.sha1?.[pcr]],
          [1, pcrs?.sha256?.[pcr]],
          [7, pcrs?.sha384?.[pcr]],
          [8, pcrs?.sha512?.[pcr]],
        ],
      );
    }
    const last = measurements.at(-1);
    const event = manifest.events[boot.events.at(-1) ?? 0];
    assert.deepEqual([last.get(0), last.get(1).get(11)], [event?.pcr, event?.description]);
  }
  assert.deepEqual(encodeCorim(manifest), encodeCorim(structuredClone(manifest)));
});

const VERAISON = needsVectors('attestation', 'veraison__corim');

test('the registers have the form of Veraison’s own', VERAISON, () => {
  const file = vectorPath('attestation', 'veraison__corim', 'comid', 'testcases', 'comid-integrity-registers.cbor');
  const theirs = read(Uint8Array.from(readFileSync(file))) as Node;
  const first = (comid: Node): unknown => {
    const registers = comid.get(4).get(0).at(0).at(1).at(0).get(1).get(14);
    return ([...registers.values()][0] as Node).at(0);
  };
  const shape = (value: unknown): unknown[] =>
    (value as unknown[]).map((item) => (item instanceof Uint8Array ? item.length : item));
  assert.deepEqual(shape(first(comidOf(encodeCorim(sample())))), shape(first(theirs)));
});

test('what is written is read back the same by another implementation, and lengths at each bound', () => {
  const value = fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer({ min: -0xffffffff, max: 0xffffffff }),
      fc.string(),
      fc.uint8Array(),
      fc.array(tie('value')),
      fc.uniqueArray(fc.tuple(fc.nat(), tie('value')), { selector: ([key]) => key }).map((pairs) => ({ pairs })),
    ),
  })).value;
  const plain = (item: CborValue): unknown => {
    if (item instanceof Uint8Array || typeof item === 'string' || typeof item === 'number') return item;
    if ('pairs' in item) return new Map(item.pairs.map(([key, member]) => [key, plain(member)]));
    return 'tag' in item ? undefined : item.map(plain);
  };
  fc.assert(fc.property(value, (item) => assert.deepEqual(read(encodeCbor(item)), plain(item))));
  // RFC 8949, appendix A.
  for (const [item, hex] of [
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65535, '19ffff'],
    [65536, '1a00010000'],
    [-1, '20'],
    [-100, '3863'],
    ['', '60'],
    ['IETF', '6449455446'],
    [parseHex('01020304'), '4401020304'],
    [[1, [2, 3], [4, 5]], '8301820203820405'],
  ] as const) {
    assert.equal(toHex(encodeCbor(item as CborValue)), hex);
  }
});
