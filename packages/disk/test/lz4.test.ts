// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compressLz4Cluster, lz4Octets, newLz4Table } from '../src/lz4/compress-cluster.ts';
import { decompressLz4, Lz4Fault } from '../src/lz4/decompress.ts';
import { noise, text } from './erofs-folder.ts';

const CLUSTER = 4096;

/** Clusters of an input, one after the other, as the writer makes them. */
function clustersOf(input: Uint8Array, size = CLUSTER): { readonly block: Uint8Array; readonly content: Uint8Array }[] {
  const source = lz4Octets(input);
  const table = newLz4Table();
  const result = { consumed: 0, produced: 0 };
  const clusters: { block: Uint8Array; content: Uint8Array }[] = [];
  const output = new Uint8Array(size);
  for (let at = 0; at < input.length; at += result.consumed) {
    compressLz4Cluster(source, at, input.length, lz4Octets(output), table, result);
    assert.ok(result.consumed > 0, `no octet of ${input.length - at} went in`);
    clusters.push({ block: output.slice(0, result.produced), content: input.slice(at, at + result.consumed) });
  }
  return clusters;
}

function requireRound(input: Uint8Array, size?: number): void {
  for (const { block, content } of clustersOf(input, size)) {
    const output = new Uint8Array(content.length);
    decompressLz4(block, output);
    assert.deepEqual(output, content);
    requireEnd(block, content.length);
  }
}

/** The end of block conditions: the last five octets are literals, the last match begins twelve before the end. */
function requireEnd(block: Uint8Array, size: number): void {
  let at = 0;
  let out = 0;
  let lastMatch = -1;
  const length = (start: number): number => {
    let total = start;
    if (start < 15) return total;
    for (let more = 255; more === 255; total += more) more = block[at++] as number;
    return total;
  };
  for (;;) {
    const token = block[at++] as number;
    const literals = length(token >> 4);
    at += literals;
    out += literals;
    if (at === block.length) {
      if (lastMatch >= 0) assert.ok(literals >= 5 && size - lastMatch >= 12, `${literals} literals after ${lastMatch}`);
      assert.equal(out, size);
      return;
    }
    at += 2;
    lastMatch = out;
    out += length(token & 15) + 4;
  }
}

test('inputs of each kind go round, in clusters that end as decoders want', () => {
  const inputs = [
    new Uint8Array(1),
    new Uint8Array(13),
    new Uint8Array(3_000_000),
    text(50_000),
    noise(20_000),
    new Uint8Array([...text(9000), ...noise(3000), ...new Uint8Array(70_000), ...text(9000)]),
  ];
  for (const input of inputs) requireRound(input);
});

test('any input goes round, in clusters of any size', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.record({ octet: fc.nat(255), count: fc.nat(5000) }).map(({ octet, count }) => new Uint8Array(count).fill(octet)),
    fc.nat(4000).map((size) => text(size)),
  );
  const input = fc.array(piece, { maxLength: 8 }).map((pieces) => Uint8Array.from(pieces.flatMap((part) => [...part])));
  fc.assert(fc.property(input, fc.integer({ min: 16, max: 5000 }), requireRound), { numRuns: 300 });
});

test('text becomes smaller, noise hardly larger', () => {
  const [first] = clustersOf(text(50_000));
  assert.ok(first !== undefined && first.content.length > 6000, `${first?.content.length}`);
  const [random] = clustersOf(noise(50_000));
  assert.ok(random !== undefined && random.content.length > 4050);
});

test('what cannot be is refused, and nothing is written beyond the output', () => {
  const cases: readonly (readonly [number[], number])[] = [
    [[], 1],
    [[0x10], 1],
    [[0xf0], 20],
    [[0xf0, 255, 255], 2000],
    // A distance of 0, and one before the start.
    [[0x10, 1, 0, 0], 10],
    [[0x10, 1, 2, 0], 10],
    [[0x10, 1, 1], 10],
    [[0x1f, 1, 1, 0, 255], 10_000],
  ];
  for (const [i, [input, size]] of cases.entries()) {
    assert.throws(() => decompressLz4(Uint8Array.from(input), new Uint8Array(size)), Lz4Fault, `case ${i}`);
  }
  // One literal, then a match of more octets than asked for.
  const room = new Uint8Array(20);
  decompressLz4(Uint8Array.of(0x1f, 7, 1, 0, 255, 255, 0), room.subarray(0, 10));
  assert.deepEqual(room, new Uint8Array(20).fill(7, 0, 10));
});
