// SPDX-License-Identifier: Apache-2.0
// Internal: imports the corrector's own files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteSource, BytesError, MemorySink, memorySource } from '@vouchsafe/bytes';
import fc from 'fast-check';
import { correctBlocks, type FecCandidate, type FecRequest } from '../src/fec/fec-correct.ts';
import { writeFec } from '../src/fec/fec-encode.ts';
import { type FecGeometry, fecGeometry } from '../src/fec/fec-layout.ts';
import type { FecSources } from '../src/fec/fec-round.ts';
import { countingSource, inputOf, storedSamples, stream } from './fec-support.ts';

/** An image in memory with its parity; its hash area is bytes like any other. */
class Image {
  readonly geometry: FecGeometry;
  readonly original: Uint8Array;
  readonly bytes: Uint8Array;
  readonly parity: Uint8Array;

  private constructor(geometry: FecGeometry, original: Uint8Array, parity: Uint8Array) {
    this.geometry = geometry;
    this.original = original;
    this.bytes = original.slice();
    this.parity = parity;
  }

  static async make(layout: { blockSize: number; roots: number; dataBlocks: number; hashBlocks: number }) {
    const geometry = fecGeometry(layout);
    const original = stream(layout.roots, geometry.inputSizeBytes);
    const sink = new MemorySink(geometry.paritySizeBytes);
    const area = { source: memorySource(original), offsetBytes: 0 };
    const hash = { ...area, offsetBytes: geometry.dataBlocks * geometry.blockSize };
    await writeFec(geometry, { data: area, hash }, { sink, offsetBytes: 0 });
    return new Image(geometry, original, sink.bytes());
  }

  get sources(): FecSources {
    const source = memorySource(this.bytes);
    return {
      data: { source, offsetBytes: 0 },
      hash: { source, offsetBytes: this.geometry.dataBlocks * this.geometry.blockSize },
      parity: { source: memorySource(this.parity), offsetBytes: 0 },
    };
  }

  /** Number of the block at this place. */
  at(column: number, round: number): number {
    return column * this.geometry.rounds + round;
  }

  /** Makes every byte of the block wrong. */
  spoil(block: number): void {
    const { blockSize } = this.geometry;
    const damage = stream(block, blockSize);
    for (let i = 0; i < blockSize; i++) this.bytes[block * blockSize + i]! ^= 1 + (damage[i]! % 255);
  }

  originalOf(block: number): Uint8Array {
    return this.original.subarray(block * this.geometry.blockSize, (block + 1) * this.geometry.blockSize);
  }

  correct(wanted: number[], erasures: number[] = [], isGood?: FecRequest['isGood']): FecCandidate[] {
    const request = { wanted, erasures, ...(isGood === undefined ? {} : { isGood }) };
    return [...correctBlocks(this.geometry, this.sources, request)];
  }

  isRight({ block, bytes }: FecCandidate): boolean {
    return Buffer.compare(bytes, this.originalOf(block)) === 0;
  }
}

const small = { blockSize: 512, roots: 6, dataBlocks: 600, hashBlocks: 40 };

test('as many named blocks of a round as roots are corrected, in data and in the hash area', async () => {
  const image = await Image.make(small);
  const bad = [0, 3, 100, 150, 199, 212].map((column) => image.at(column, 1));
  assert.ok(Math.max(...bad) >= small.dataBlocks);
  for (const block of bad) image.spoil(block);
  const candidates = image.correct(bad, bad);
  assert.deepEqual(
    candidates.map(({ block }) => block),
    bad,
  );
  for (const candidate of candidates) {
    assert.ok(image.isRight(candidate), `block ${candidate.block}`);
    assert.deepEqual([candidate.changedBytes, candidate.uncorrectableBytes], [512, 0]);
  }
});

test('half as many blocks are corrected when nothing is known', async () => {
  const image = await Image.make(small);
  const bad = [7, 99, 212].map((column) => image.at(column, 2));
  for (const block of bad) image.spoil(block);
  const all = Array.from({ length: image.geometry.inputBlocks }, (_, block) => block);
  for (const candidate of image.correct(all)) {
    assert.ok(image.isRight(candidate));
    assert.equal(candidate.changedBytes, bad.includes(candidate.block) ? 512 : 0);
  }
});

test('one block more than half the roots, unnamed, is reported as uncorrectable', async () => {
  const image = await Image.make(small);
  const bad = [7, 99, 150, 212].map((column) => image.at(column, 2));
  for (const block of bad) image.spoil(block);
  for (const candidate of image.correct(bad)) {
    assert.ok(!image.isRight(candidate));
    assert.ok(candidate.uncorrectableBytes > 0);
  }
  assert.ok(image.correct(bad, bad.slice(0, 2)).every((candidate) => image.isRight(candidate)));
});

test('one named block more than the roots is not corrected, but bytes among them are', async () => {
  const image = await Image.make(small);
  const bad = [1, 2, 3, 4, 5, 6, 7].map((column) => image.at(column, 0));
  for (const block of bad) image.spoil(block);
  assert.ok(
    image.correct(bad, bad).every((candidate) => !image.isRight(candidate) && candidate.uncorrectableBytes > 0),
  );

  image.bytes.set(image.original);
  // Seven damaged blocks, with three wrong bytes in each codeword at most.
  for (const [i, block] of bad.entries()) image.bytes[block * 512 + Math.floor(i / 3)]! ^= 0x55;
  const candidates = image.correct(bad, bad);
  assert.ok(candidates.every((candidate) => image.isRight(candidate) && candidate.changedBytes === 1));
});

test('a block keeps what is right when other blocks have more damage than the parity covers', async () => {
  const image = await Image.make(small);
  const [first, ...others] = [1, 2, 3, 4, 5].map((column) => image.at(column, 0));
  image.bytes[first! * 512]! ^= 1;
  for (const block of others) image.bytes[block * 512 + 400]! ^= 0x10;
  const [candidate] = image.correct([first!]);
  assert.ok(image.isRight(candidate!));
  assert.equal(candidate!.uncorrectableBytes, 1);
});

test('a decoding that changes a block known to be good is refused', async () => {
  const image = await Image.make({ ...small, roots: 2 });
  const bad = [10, 20, 30].map((column) => image.at(column, 1));
  for (const block of bad) image.spoil(block);
  const [wanted] = bad;
  // Two roots and three bad blocks: nearly every word is one byte away from some codeword.
  const [loose] = image.correct([wanted!]);
  const [strict] = image.correct([wanted!], [], (block) => !bad.includes(block));
  assert.ok(loose!.uncorrectableBytes < 512 && !image.isRight(loose!));
  assert.ok(strict!.uncorrectableBytes > loose!.uncorrectableBytes);
  // With the third put back, the other two are named and all else is good.
  image.bytes.set(image.originalOf(bad[2]!), bad[2]! * 512);
  const last = image.correct(bad.slice(0, 2), bad.slice(0, 2), (block) => block !== bad[0] && block !== bad[1]);
  assert.ok(last.every((candidate) => image.isRight(candidate)));
});

test('damaged parity is survived within the bound', async () => {
  const image = await Image.make(small);
  const bad = [10, 20].map((column) => image.at(column, 1));
  for (const block of bad) image.spoil(block);
  // Two of the six parity bytes of every codeword: 2 * 2 + 2 <= 6.
  for (let i = 0; i < image.parity.length; i++) if (i % 6 === 1 || i % 6 === 5) image.parity[i]! ^= 0xa5;
  assert.ok(image.correct(bad, bad).every((candidate) => image.isRight(candidate)));
  // Unnamed they are four of unknown place, one too many.
  assert.ok(image.correct(bad).every((candidate) => !image.isRight(candidate)));
  // Parity alone: no block changes.
  image.bytes.set(image.original);
  assert.ok(
    image.correct(bad).every(({ changedBytes, uncorrectableBytes }) => changedBytes + uncorrectableBytes === 0),
  );
});

test('any damage within the bound is corrected, in any layout', async () => {
  const layouts = fc.record({
    blockSize: fc.constantFrom(512, 1024),
    roots: fc.integer({ min: 2, max: 24 }),
    dataBlocks: fc.integer({ min: 24, max: 400 }),
    hashBlocks: fc.integer({ min: 0, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(layouts, fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (layout, seeds) => {
      const image = await Image.make(layout);
      const round = seeds[0]! % image.geometry.rounds;
      const inRound = Array.from({ length: image.geometry.columns }, (_, column) => image.at(column, round));
      const present = inRound.filter((block) => block < image.geometry.inputBlocks);
      const bad = [...new Set(seeds.map((seed) => present[seed % present.length]!))].slice(0, layout.roots);
      for (const block of bad) image.spoil(block);
      const named = bad.slice(0, Math.max(0, 2 * bad.length - layout.roots));
      assert.ok(image.correct(bad, named).every((candidate) => image.isRight(candidate)));
    }),
    { numRuns: 10 },
  );
});

test('blocks larger than a run are corrected whole', async () => {
  const image = await Image.make({ blockSize: 16384, roots: 2, dataBlocks: 3, hashBlocks: 1 });
  for (const block of [1, 3]) image.spoil(block);
  const candidates = image.correct([3, 1], [1, 3]);
  assert.deepEqual(
    candidates.map(({ block, changedBytes }) => [block, changedBytes]),
    [
      [3, 16384],
      [1, 16384],
    ],
  );
  assert.ok(candidates.every((candidate) => image.isRight(candidate)));
});

test('nothing is found behind the end of the input, where there are zeros by definition', async () => {
  const image = await Image.make({ blockSize: 512, roots: 2, dataBlocks: 5, hashBlocks: 0 });
  // One parity byte pattern that a single wrong byte in column 100, which is not there, would explain.
  const ghost = await Image.make({ blockSize: 512, roots: 2, dataBlocks: 101, hashBlocks: 0 });
  ghost.original.fill(0);
  ghost.original.set(image.original);
  ghost.original[100 * 512] = 0x33;
  const sink = new MemorySink(ghost.geometry.paritySizeBytes);
  const area = { source: memorySource(ghost.original), offsetBytes: 0 };
  await writeFec(ghost.geometry, { data: area, hash: area }, { sink, offsetBytes: 0 });
  image.parity.set(sink.bytes());
  const [candidate] = image.correct([0]);
  assert.deepEqual([candidate!.changedBytes, candidate!.uncorrectableBytes], [0, 1]);
});

test('a few blocks of a large image cost the reads of their rounds only', async () => {
  const image = await Image.make({ blockSize: 512, roots: 2, dataBlocks: 10_000, hashBlocks: 100 });
  image.spoil(5000);
  image.spoil(5001);
  const counted = countingSource(image.bytes);
  const parity = countingSource(image.parity);
  const sources: FecSources = {
    data: { source: counted, offsetBytes: 0 },
    hash: { source: counted, offsetBytes: 10_000 * 512 },
    parity: { source: parity, offsetBytes: 0 },
  };
  const candidates = [...correctBlocks(image.geometry, sources, { wanted: [5000, 5001] })];
  assert.ok(candidates.every((candidate) => image.isRight(candidate)));
  assert.ok(counted.readBytes <= 2 * 253 * 512);
  assert.equal(parity.readBytes, 2 * 512 * 2);
});

/** A source that gives up on some of its octets, as a failing disk does. */
function failingSource(bytes: Uint8Array, code: 'io' | 'short_read', from: number, to: number): ByteSource {
  const inner = memorySource(bytes);
  return {
    ...inner,
    read(offset, target) {
      if (offset < to && offset + target.length > from) throw new BytesError(code, 'expected to read');
      inner.read(offset, target);
    },
  };
}

test('what cannot be read counts as an erasure, other failures pass through', async () => {
  const image = await Image.make(small);
  const bad = [image.at(1, 0), image.at(2, 0), image.at(3, 0), image.at(4, 0)];
  for (const block of bad) image.spoil(block);
  const hidden = [image.at(9, 0), image.at(10, 0)];
  const run = (code: 'io' | 'short_read') => {
    const source = failingSource(image.bytes, code, hidden[0]! * 512 + 100, hidden[1]! * 512 + 1);
    const area = { source, offsetBytes: 0 };
    const sources = { ...image.sources, data: area };
    return [...correctBlocks(image.geometry, sources, { wanted: [...bad, ...hidden], erasures: bad })];
  };
  assert.ok(run('io').every((candidate) => image.isRight(candidate)));
  assert.throws(() => run('short_read'), { code: 'short_read' });
});

test('parity that cannot be read leaves its blocks as they are', async () => {
  const image = await Image.make(small);
  const bad = [image.at(5, 0), image.at(5, 1)];
  for (const block of bad) image.spoil(block);
  const parity = { source: failingSource(image.parity, 'io', 0, 10), offsetBytes: 0 };
  const candidates = [...correctBlocks(image.geometry, { ...image.sources, parity }, { wanted: bad })];
  assert.deepEqual(
    candidates.map((candidate) => [candidate.uncorrectableBytes, candidate.changedBytes, image.isRight(candidate)]),
    [
      [512, 0, false],
      [0, 512, true],
    ],
  );
});

test('sources that end before the layout, and blocks that are not there, are refused at the call', async () => {
  const image = await Image.make({ blockSize: 512, roots: 2, dataBlocks: 4, hashBlocks: 1 });
  const { geometry, sources } = image;
  for (let size = 0; size < image.parity.length; size++) {
    const parity = { source: memorySource(image.parity.subarray(0, size)), offsetBytes: 0 };
    assert.throws(() => correctBlocks(geometry, { ...sources, parity }, { wanted: [0] }), { code: 'fec_short' });
  }
  const late = { ...sources.parity, offsetBytes: 1 };
  assert.throws(() => correctBlocks(geometry, { ...sources, parity: late }, { wanted: [0] }), { code: 'fec_short' });
  for (let size = 0; size < image.bytes.length; size++) {
    const area = { source: memorySource(image.bytes.subarray(0, size)), offsetBytes: 0 };
    const code = size < 4 * 512 ? 'data_size' : 'tree_short';
    const hash = { ...area, offsetBytes: 4 * 512 };
    assert.throws(() => correctBlocks(geometry, { ...sources, data: area, hash }, { wanted: [0] }), { code });
  }
  for (const block of [-1, 5, 0.5, Number.NaN]) {
    assert.throws(() => correctBlocks(geometry, sources, { wanted: [block] }), { code: 'fec_geometry' });
    assert.throws(() => correctBlocks(geometry, sources, { wanted: [0], erasures: [block] }), { code: 'fec_geometry' });
  }
});

for (const stored of storedSamples()) {
  test(`with parity that veritysetup wrote, blocks are restored: ${stored.name}`, () => {
    const { geometry, data, parity } = stored;
    const { rounds, blockSize, roots, dataBlocks } = geometry;
    const bad = Array.from(
      { length: Math.min(roots, Math.floor(dataBlocks / rounds)) },
      (_, column) => column * rounds,
    );
    const spoilt = data.slice();
    for (const block of bad) spoilt.fill(0xee, block * blockSize, (block + 1) * blockSize);
    const sources: FecSources = {
      ...inputOf(stored),
      data: { source: memorySource(spoilt), offsetBytes: 0 },
      parity: { source: memorySource(parity), offsetBytes: 0 },
    };
    let restored = 0;
    for (const { block, bytes } of correctBlocks(geometry, sources, { wanted: bad, erasures: bad })) {
      assert.equal(Buffer.compare(bytes, data.subarray(block * blockSize, (block + 1) * blockSize)), 0);
      restored++;
    }
    assert.equal(restored, bad.length);
  });
}
