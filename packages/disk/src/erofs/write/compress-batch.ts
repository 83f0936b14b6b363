// SPDX-License-Identifier: Apache-2.0
import { compressLz4Cluster, type Lz4Cluster, newLz4Table } from '../../lz4/compress-cluster.ts';

const BLOCK_BYTES = 4096;
/** In `starts`: the block holds its octets as they are. */
export const IS_PLAIN = 0x80000000;

/** Parts of files, one after the other, to be compressed apart from each other. Plain data, for another thread. */
export interface CompressionBatch {
  readonly input: Uint8Array<ArrayBuffer>;
  /** Where each part ends; the first begins at 0. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export interface CompressedBatch {
  /** Blocks of 4096 octets. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** How many blocks each part has. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** For each block where its content begins in its part; and IS_PLAIN. */
  readonly starts: Uint32Array<ArrayBuffer>;
}

/**
 * Each part as LZ4 blocks of at most 4096 octets, at the end of a block of the image behind zeros: EROFS calls it
 * 0padding. What does not become smaller stays as it is. What comes out depends on the part alone.
 */
export function compressBatch({ input, ends }: CompressionBatch): CompressedBatch {
  const maxBlocks = ends.reduce((sum, end, i) => sum + Math.ceil((end - (ends[i - 1] ?? 0)) / BLOCK_BYTES), 0);
  const output = new Uint8Array(maxBlocks * BLOCK_BYTES);
  const starts = new Uint32Array(maxBlocks);
  const counts = new Uint32Array(ends.length);
  const scratch = new Uint8Array(BLOCK_BYTES);
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
        compressLz4Cluster(input, at, end, scratch, table, cluster);
        if (cluster.consumed > BLOCK_BYTES) {
          output.set(scratch.subarray(0, cluster.produced), target + BLOCK_BYTES - cluster.produced);
          at += cluster.consumed;
          continue;
        }
      }
      const length = Math.min(BLOCK_BYTES, end - at);
      output.set(input.subarray(at, at + length), target);
      starts[block] = (at - partStart + IS_PLAIN) >>> 0;
      at += length;
    }
    counts[i] = block - firstBlock;
  }
  return { output: output.subarray(0, block * BLOCK_BYTES), counts, starts: starts.subarray(0, block) };
}
