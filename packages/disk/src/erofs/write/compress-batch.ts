// SPDX-License-Identifier: Apache-2.0
import {
  compressLz4Cluster,
  type Lz4Cluster,
  type Lz4Octets,
  lz4Octets,
  newLz4Table,
} from '../../lz4/compress-cluster.ts';

export const BLOCK_BYTES = 4096;
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

/** Compresses one input after the other, cluster by cluster. All give the same octets for the same input. */
export interface ClusterCompressor {
  /** The input of the calls that follow, up to BATCH_BYTES of it. */
  load(input: Uint8Array): void;
  /**
   * As much of the input from `start` to `end` as fits into `block`, at its end behind zeros.
   * @returns the octets of input in it.
   */
  compress(start: number, end: number): number;
  /** 4096 octets, which the next call replaces. */
  readonly block: Uint8Array;
}

/** The one for any runtime. */
export function clusterCompressor(): ClusterCompressor {
  const scratch = lz4Octets(new Uint8Array(BLOCK_BYTES));
  const block = new Uint8Array(BLOCK_BYTES);
  const table = newLz4Table();
  const cluster: Lz4Cluster = { consumed: 0, produced: 0 };
  let source: Lz4Octets = lz4Octets(new Uint8Array());
  return {
    block,
    load(input) {
      source = lz4Octets(input);
      table.fill(-1);
    },
    compress(start, end) {
      compressLz4Cluster(source, start, end, scratch, table, cluster);
      const { consumed, produced } = cluster;
      block.fill(0, 0, BLOCK_BYTES - produced);
      block.set(scratch.octets.subarray(0, produced), BLOCK_BYTES - produced);
      return consumed;
    },
  };
}

/**
 * Each part as LZ4 blocks of at most 4096 octets, at the end of a block of the image behind zeros: EROFS calls it
 * 0padding. What does not become smaller stays as it is. What comes out depends on the part alone.
 * @param output of `newOutput`; what was in it does not matter.
 */
export function compressBatch(
  { input, ends }: CompressionBatch,
  output: Uint8Array<ArrayBuffer>,
  compressor: ClusterCompressor,
): CompressedBatch {
  const starts = new Uint32Array(output.length / BLOCK_BYTES);
  const counts = new Uint32Array(ends.length);
  compressor.load(input.subarray(0, ends.at(-1) ?? 0));
  let block = 0;
  for (const [i, end] of ends.entries()) {
    const partStart = ends[i - 1] ?? 0;
    const firstBlock = block;
    for (let at = partStart; at < end; block++) {
      const target = block * BLOCK_BYTES;
      starts[block] = at - partStart;
      // What is left fits as it is.
      if (end - at > BLOCK_BYTES) {
        const consumed = compressor.compress(at, end);
        if (consumed > BLOCK_BYTES) {
          output.set(compressor.block, target);
          at += consumed;
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
