// SPDX-License-Identifier: Apache-2.0
// Internal: checks the layout apart from what uses it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsInRound, type FecParameters, fecGeometry, fecHashBlocks, fecPlace } from '../src/fec/fec-layout.ts';

const small: FecParameters = { blockSize: 4096, roots: 2, dataBlocks: 256, hashBlocks: 3 };

test('a small image', () => {
  assert.deepEqual(fecGeometry(small), {
    ...small,
    columns: 253,
    rounds: 2,
    codewords: 8192,
    inputBlocks: 259,
    inputSizeBytes: 259 * 4096,
    paritySizeBytes: 2 * 8192,
  });
});

test('an image of 64 TiB is laid out exactly', () => {
  const geometry = fecGeometry({ blockSize: 4096, roots: 24, dataBlocks: 2 ** 34, hashBlocks: 135_274_562 });
  const blocks = 2n ** 34n + 135_274_562n;
  const rounds = (blocks + 230n) / 231n;
  assert.equal(BigInt(geometry.rounds), rounds);
  assert.equal(BigInt(geometry.codewords), rounds * 4096n);
  assert.equal(BigInt(geometry.paritySizeBytes), rounds * 4096n * 24n);
  const last = geometry.inputBlocks - 1;
  assert.deepEqual(fecPlace(geometry, last), {
    column: Number(BigInt(last) / rounds),
    round: Number(BigInt(last) % rounds),
  });
});

test('roots are 2 to 24', () => {
  for (const roots of [2, 24]) assert.equal(fecGeometry({ ...small, roots }).columns, 255 - roots);
  for (const roots of [-1, 0, 1, 25, 255, 2.5, Number.NaN]) {
    assert.throws(() => fecGeometry({ ...small, roots }), { code: 'fec_roots' });
  }
});

test('blocks are powers of two from 512 octets to 512 KiB', () => {
  for (const blockSize of [512, 524288]) assert.equal(fecGeometry({ ...small, blockSize }).blockSize, blockSize);
  for (const blockSize of [0, -512, 256, 511, 513, 4095, 768, 1048576, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => fecGeometry({ ...small, blockSize }), { code: 'fec_geometry' });
  }
});

test('there is data, the counts are whole, and the sizes are exact numbers', () => {
  assert.equal(fecGeometry({ ...small, dataBlocks: 1, hashBlocks: 0 }).rounds, 1);
  const wrong = [
    { dataBlocks: 0 },
    { dataBlocks: 1.5 },
    { dataBlocks: -1 },
    { dataBlocks: 2 ** 53 },
    { dataBlocks: 2 ** 41 },
    { hashBlocks: -1 },
    { hashBlocks: 0.5 },
    { hashBlocks: 2 ** 41 },
  ];
  for (const change of wrong) {
    assert.throws(() => fecGeometry({ ...small, ...change }), { code: 'fec_geometry' }, JSON.stringify(change));
  }
});

test('the hash area reaches from the tree to the end of the device, or to the parity on it', () => {
  const area = { blockSize: 4096, treeOffsetBytes: 8192, hashDeviceSizeBytes: 40960 };
  assert.equal(fecHashBlocks(area), 8);
  assert.equal(fecHashBlocks({ ...area, hashDeviceSizeBytes: 40959 }), 7);
  assert.equal(fecHashBlocks({ ...area, fecOffsetBytes: 16384 }), 2);
  assert.equal(fecHashBlocks({ ...area, fecOffsetBytes: 16384 + 512 }), 2);
  assert.equal(fecHashBlocks({ ...area, hashDeviceSizeBytes: 8192 }), 0);
  assert.equal(fecHashBlocks({ ...area, hashDeviceSizeBytes: 0 }), 0);
});

test('a hash area that ends before it starts is refused', () => {
  const area = { blockSize: 4096, treeOffsetBytes: 8192, hashDeviceSizeBytes: 40960 };
  const wrong = [
    { hashDeviceSizeBytes: 8191 },
    { fecOffsetBytes: 4096 },
    { treeOffsetBytes: 8192 + 512 },
    { treeOffsetBytes: -4096 },
    { hashDeviceSizeBytes: -1 },
    { hashDeviceSizeBytes: Number.NaN },
    { blockSize: 1000 },
  ];
  for (const change of wrong) {
    assert.throws(() => fecHashBlocks({ ...area, ...change }), { code: 'fec_geometry' }, JSON.stringify(change));
  }
});

test("a block's place follows the interleave by its definition", () => {
  const parameters = fc.record({
    blockSize: fc.constant(512),
    roots: fc.integer({ min: 2, max: 24 }),
    dataBlocks: fc.integer({ min: 1, max: 5000 }),
    hashBlocks: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(
    fc.property(parameters, fc.nat(), (chosen, seed) => {
      const geometry = fecGeometry(chosen);
      const block = seed % geometry.inputBlocks;
      const { column, round } = fecPlace(geometry, block);
      // cryptsetup, FEC_interleave: byte i of the sequence of codewords is at i / n + (i mod n) * rounds * blockSize.
      const byte = 17;
      const i = (round * geometry.blockSize + byte) * geometry.columns + column;
      const offset = Math.floor(i / geometry.columns) + (i % geometry.columns) * geometry.rounds * geometry.blockSize;
      assert.equal(offset, block * geometry.blockSize + byte);
      const filled = columnsInRound(geometry, round);
      assert.ok(column < filled && filled <= geometry.columns);
      assert.ok((filled - 1) * geometry.rounds + round < geometry.inputBlocks);
      assert.ok(filled * geometry.rounds + round >= geometry.inputBlocks);
    }),
  );
});

test('a block that the input does not have is refused', () => {
  const geometry = fecGeometry(small);
  for (const block of [-1, 259, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => fecPlace(geometry, block), { code: 'fec_geometry' });
  }
});
