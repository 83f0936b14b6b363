// SPDX-License-Identifier: Apache-2.0
import { compressLz4Cluster, type Lz4Cluster, lz4Octets, newLz4Table } from '../../lz4/compress-cluster.ts';

const BLOCK_BYTES = 4096;
/** In `starts`: the block holds its octets as they are. */
export const IS_PLAIN = 0x80000000;

/** A batch holds at most so much; so does a part of a file. */
export const BATCH_BYTES = 1024 * 1024;

/** Parts of files, one after the other, to be compressed apart from each other. Plain data, for another thread. */
export interface CompressionBatch {
  /** BATCH_BYTES; what is in use ends where the last part does. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** Where each part ends; the first begins at 0. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export interface CompressedBatch {
  /** Blocks of 4096 octets, one after the other; the rest is of no meaning. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** How many blocks each part has. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** For each block where its content begins in its part; and IS_PLAIN. */
  readonly starts: Uint32Array<ArrayBuffer>;
}

/** Room for what any batch becomes: parts are larger than a block, but for one, and the last block of each only begun. */
const OUTPUT_BYTES = 2 * BATCH_BYTES + BLOCK_BYTES;

export function newOutput(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(OUTPUT_BYTES);
}

/**
 * Each part as LZ4 blocks of at most 4096 octets, at the end of a block of the image behind zeros: EROFS calls it
 * 0padding. What does not become smaller stays as it is. What comes out depends on the part alone.
 * @param output of `newOutput`; what was in it does not matter.
 */
export function compressBatch({ input, ends }: CompressionBatch, output: Uint8Array<ArrayBuffer>): CompressedBatch {
  const starts = new Uint32Array(output.length / BLOCK_BYTES);
  const counts = new Uint32Array(ends.length);
  const source = lz4Octets(input);
  const scratch = new Uint8Array(BLOCK_BYTES);
  const scratchOctets = lz4Octets(scratch);
  const table = newLz4Table();
  const cluster: Lz4Cluster = { consumed: 0, produced: 0 };
  let block = 0;
  for (const [i, end] of ends.entries()) {
    const partStart = ends[i - 1] ?? 0;
    const firstBlock = block;
    for (let at = partStart; at < end; block++) {
      const target = block * BLOCK_BYTES;
      starts[block] = at - partStart;
      // What is left fits as it is.
      if (end - at > BLOCK_BYTES) {
        compressLz4Cluster(source, at, end, scratchOctets, table, cluster);
        if (cluster.consumed > BLOCK_BYTES) {
          output.fill(0, target, target + BLOCK_BYTES - cluster.produced);
          output.set(scratch.subarray(0, cluster.produced), target + BLOCK_BYTES - cluster.produced);
          at += cluster.consumed;
          continue;
        }
      }
      const length = Math.min(BLOCK_BYTES, end - at);
      output.set(input.subarray(at, at + length), target);
      output.fill(0, target + length, target + BLOCK_BYTES);
      starts[block] = (at - partStart + IS_PLAIN) >>> 0;
      at += length;
    }
    counts[i] = block - firstBlock;
  }
  return { output, counts, starts: starts.slice(0, block) };
}
