// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { writeFec } from '../src/fec/fec-encode.ts';
import type { FecInput } from '../src/fec/fec-input.ts';
import { type FecGeometry, fecGeometry, fecHashBlocks } from '../src/fec/fec-layout.ts';

/** The bytes of a linear congruential generator, the same everywhere and never repeating in a test's length. */
export function stream(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function testdata(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../testdata/fec/${name}`, import.meta.url)));
}

/** What veritysetup made: the two inputs, the parity, and the layout that they should have. */
export interface Sample {
  readonly name: string;
  readonly geometry: FecGeometry;
  readonly data: Uint8Array;
  /** From the start of the hash device. */
  readonly hash: Uint8Array;
  readonly treeOffsetBytes: number;
  readonly parity: Uint8Array;
}

/** A sample of data, hash device and parity in separate files. */
export function sample(
  name: string,
  files: { data: Uint8Array; hash: Uint8Array; parity: Uint8Array },
  layout: { blockSize: number; roots: number; treeOffsetBytes: number; dataBlocks?: number; fecOffsetBytes?: number },
): Sample {
  const { blockSize, roots, treeOffsetBytes, fecOffsetBytes } = layout;
  const dataBlocks = layout.dataBlocks ?? files.data.length / blockSize;
  const hashBlocks = fecHashBlocks({
    blockSize,
    treeOffsetBytes,
    hashDeviceSizeBytes: files.hash.length,
    fecOffsetBytes,
  });
  return { name, geometry: fecGeometry({ blockSize, roots, dataBlocks, hashBlocks }), treeOffsetBytes, ...files };
}

/** The samples in testdata/fec, see PROVENANCE.md there. */
export function storedSamples(): Sample[] {
  const tenBlocks = { data: stream(1, 5120), hash: testdata('ten-blocks.hash') };
  const oneFile = testdata('one-file.img');
  return [
    sample(
      'ten blocks, 2 roots',
      { ...tenBlocks, parity: testdata('ten-blocks-2-roots.fec') },
      { blockSize: 512, roots: 2, treeOffsetBytes: 512 },
    ),
    sample(
      'ten blocks, 24 roots',
      { ...tenBlocks, parity: testdata('ten-blocks-24-roots.fec') },
      { blockSize: 512, roots: 24, treeOffsetBytes: 512 },
    ),
    sample(
      'two rounds, 7 roots',
      { data: stream(2, 153600), hash: testdata('two-rounds.hash'), parity: testdata('two-rounds-7-roots.fec') },
      { blockSize: 512, roots: 7, treeOffsetBytes: 512 },
    ),
    sample(
      'a tree with a tail, 3 roots',
      { data: stream(3, 20480), hash: testdata('tree-with-tail.hash'), parity: testdata('tree-with-tail-3-roots.fec') },
      { blockSize: 1024, roots: 3, treeOffsetBytes: 1024 },
    ),
    sample(
      'one file, 5 roots',
      { data: oneFile, hash: oneFile, parity: oneFile.subarray(8192) },
      { blockSize: 512, roots: 5, treeOffsetBytes: 5120, dataBlocks: 8, fecOffsetBytes: 8192 },
    ),
  ];
}

export function inputOf({ data, hash, treeOffsetBytes }: Sample): FecInput {
  return {
    data: { source: memorySource(data, 'data'), offsetBytes: 0 },
    hash: { source: memorySource(hash, 'hash'), offsetBytes: treeOffsetBytes },
  };
}

/** A source that counts the octets read from it. */
export function countingSource(bytes: Uint8Array): ByteSource & { readonly readBytes: number } {
  const inner = memorySource(bytes);
  const source = {
    size: inner.size,
    label: 'counted',
    readBytes: 0,
    read(offset: number, target: Uint8Array): void {
      source.readBytes += target.length;
      inner.read(offset, target);
    },
  };
  return source;
}

/** The parity that we compute, in memory. */
export async function parityOf(geometry: FecGeometry, input: FecInput): Promise<Uint8Array> {
  const sink = new MemorySink(geometry.paritySizeBytes);
  await writeFec(geometry, input, { sink, offsetBytes: 0 });
  return sink.bytes();
}

/** Compares without printing thousands of bytes. */
export function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  assert.equal(Buffer.compare(actual, expected), 0, `${what}: first difference in codewords`);
}
