// SPDX-License-Identifier: Apache-2.0
// Internal: imports the encoder's own files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Progress } from '@vouchsafe/base';
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { needsVectors, vectorPath, vectorTsv } from '@vouchsafe/testing';
import fc from 'fast-check';
import { writeFec } from '../src/fec/fec-encode.ts';
import { type FecGeometry, fecGeometry } from '../src/fec/fec-layout.ts';
import { divide, multiply, POWERS } from '../src/fec/galois-field.ts';
import { assertSame, inputOf, parityOf, sample, storedSamples, stream } from './fec-support.ts';

for (const stored of storedSamples()) {
  test(`parity is as veritysetup wrote it: ${stored.name}`, async () => {
    assertSame(await parityOf(stored.geometry, inputOf(stored)), stored.parity, stored.name);
  });
}

test('parity is that of the shared vectors', needsVectors('image/verity'), async () => {
  const rows = vectorTsv('image/verity/vectors.tsv').filter((row) => row['fec_file']);
  assert.ok(rows.length > 0);
  for (const row of rows) {
    const read = (name: string) => new Uint8Array(readFileSync(vectorPath('image/verity', row[name] ?? '')));
    const roots = Number(/--fec-roots=(\d+)/.exec(row['args'] ?? '')?.[1] ?? 2);
    const files = { data: read('data'), hash: read('hash_file'), parity: read('fec_file') };
    const vector = sample(row['id'] ?? '', files, { blockSize: 4096, roots, treeOffsetBytes: 4096 });
    assertSame(await parityOf(vector.geometry, inputOf(vector)), vector.parity, vector.name);
  }
});

/** The parity by the definitions alone: interleaved bytes, divided by the generator polynomial a byte at a time. */
function parityByDefinition(geometry: FecGeometry, whole: Uint8Array): Uint8Array {
  const { columns, roots, rounds, blockSize, codewords } = geometry;
  let generator = [1];
  for (let root = 0; root < roots; root++) {
    const shifted = [...generator, 0];
    generator = shifted.map((c, i) => c ^ (i === 0 ? 0 : multiply(generator[i - 1]!, POWERS[root]!)));
  }
  const parity = new Uint8Array(codewords * roots);
  for (let k = 0; k < codewords; k++) {
    const word = new Uint8Array(columns + roots);
    for (let i = 0; i < columns; i++) word[i] = whole[k + i * rounds * blockSize] ?? 0;
    for (let i = 0; i < columns; i++) {
      const quotient = divide(word[i]!, generator[0]!);
      for (const [j, c] of generator.entries()) word[i + j]! ^= multiply(quotient, c);
    }
    parity.set(word.subarray(columns), k * roots);
  }
  return parity;
}

test('parity is that of the definition, wherever data and hash area meet', async () => {
  const layouts = fc.record({
    blockSize: fc.constant(512),
    roots: fc.integer({ min: 2, max: 24 }),
    dataBlocks: fc.integer({ min: 1, max: 300 }),
    hashBlocks: fc.integer({ min: 0, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(layouts, fc.nat(), fc.nat({ max: 999 }), async (layout, seed, offsetBytes) => {
      const geometry = fecGeometry(layout);
      const whole = stream(seed, geometry.inputSizeBytes);
      const dataSize = layout.dataBlocks * layout.blockSize;
      const shifted = new Uint8Array(offsetBytes + whole.length - dataSize);
      shifted.set(whole.subarray(dataSize), offsetBytes);
      const input = {
        data: { source: memorySource(whole), offsetBytes: 0 },
        hash: { source: memorySource(shifted), offsetBytes },
      };
      assertSame(await parityOf(geometry, input), parityByDefinition(geometry, whole), JSON.stringify(layout));
    }),
    { numRuns: 8 },
  );
});

test('an image of several runs is written piece by piece, with progress', async () => {
  const geometry = fecGeometry({ blockSize: 4096, roots: 2, dataBlocks: 253 * 40, hashBlocks: 0 });
  // Every block alike, so that each codeword of a block has the parity of the block's first codeword with that byte.
  const pattern = stream(7, 4096);
  let largestRead = 0;
  const source: ByteSource = {
    size: geometry.inputSizeBytes,
    label: 'pattern',
    read(offset, target) {
      largestRead = Math.max(largestRead, target.length);
      for (let i = 0; i < target.length; i += 4096) target.set(pattern.subarray(0, target.length - i), i);
      assert.equal(offset % 4096, 0);
    },
  };
  const sink = new MemorySink(1000 + geometry.paritySizeBytes);
  const seen: Progress[] = [];
  const area = { source, offsetBytes: 0 };
  await writeFec(
    geometry,
    { data: area, hash: area },
    { sink, offsetBytes: 1000 },
    { onProgress: (progress) => void seen.push(progress) },
  );
  const first = fecGeometry({ blockSize: 4096, roots: 2, dataBlocks: 253, hashBlocks: 0 });
  const block = memorySource(Uint8Array.from({ length: 253 * 4096 }, (_, i) => pattern[i % 4096]!));
  const once = await parityOf(first, {
    data: { source: block, offsetBytes: 0 },
    hash: { source: block, offsetBytes: 0 },
  });
  const written = sink.bytes();
  assert.ok(written.subarray(0, 1000).every((byte) => byte === 0));
  for (let round = 0; round < 40; round++) {
    assertSame(written.subarray(1000 + round * 8192, 1000 + (round + 1) * 8192), once, `round ${round}`);
  }
  assert.ok(largestRead <= 1024 * 1024);
  assert.ok(seen.length > 1);
  assert.deepEqual(seen.at(-1), { phase: 'computing parity', done: source.size, total: source.size });
  for (const [i, progress] of seen.entries()) assert.ok(i === 0 || progress.done > seen[i - 1]!.done);
});

test('cancelling stops the work before its next piece', async () => {
  const geometry = fecGeometry({ blockSize: 4096, roots: 2, dataBlocks: 253 * 40, hashBlocks: 0 });
  const source: ByteSource = { size: geometry.inputSizeBytes, label: 'zeros', read: (_, target) => target.fill(0) };
  const area = { source, offsetBytes: 0 };
  const abort = new AbortController();
  const reason = new Error('enough');
  let calls = 0;
  const work = {
    signal: abort.signal,
    onProgress: async () => {
      calls++;
      abort.abort(reason);
    },
  };
  const sink = new MemorySink(geometry.paritySizeBytes);
  await assert.rejects(writeFec(geometry, { data: area, hash: area }, { sink, offsetBytes: 0 }, work), reason);
  assert.equal(calls, 1);
});

test('an input that ends before its layout is refused before anything is written', async () => {
  const [stored] = storedSamples();
  const { geometry, data, hash } = stored!;
  const { blockSize, dataBlocks, hashBlocks } = geometry;
  const sink = new MemorySink(geometry.paritySizeBytes);
  const write = (dataSize: number, hashSize: number, hashOffset = 512) =>
    writeFec(
      geometry,
      {
        data: { source: memorySource(data.subarray(0, dataSize)), offsetBytes: 0 },
        hash: { source: memorySource(hash.subarray(0, hashSize)), offsetBytes: hashOffset },
      },
      { sink, offsetBytes: 0 },
    );
  const full = 512 + hashBlocks * blockSize;
  for (let size = 0; size < dataBlocks * blockSize; size += 37) {
    await assert.rejects(write(size, full), { code: 'data_size' });
  }
  await assert.rejects(write(data.length - 1, full), { code: 'data_size' });
  for (let size = 0; size < full; size++) await assert.rejects(write(data.length, size), { code: 'tree_short' });
  for (const offset of [-1, 0.5, Number.NaN, full]) {
    await assert.rejects(write(data.length, full, offset), { code: 'tree_short' });
  }
  assert.equal(sink.bytes().length, 0);
  await write(data.length, full);
  assert.equal(sink.bytes().length, geometry.paritySizeBytes);
});
