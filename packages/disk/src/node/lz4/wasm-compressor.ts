// SPDX-License-Identifier: Apache-2.0
import { BATCH_BYTES, BLOCK_BYTES, type ClusterCompressor } from '../../erofs/write/compress-batch.ts';
import { HASH_BITS } from '../../lz4/compress-cluster.ts';
import { lz4Program } from './lz4-program.ts';

const PAGE_BYTES = 65_536;
/** Addresses in the program's memory; none is 0, which a slot of the table has that was not used. */
const TABLE = 64;
const BLOCK = TABLE + 4 * 2 ** HASH_BITS;
const INPUT = PAGE_BYTES;
/** Behind the input: eight octets are copied where there is but one. */
const SPARE_BYTES = 64;
const PAGES = Math.ceil((INPUT + BATCH_BYTES + SPARE_BYTES) / PAGE_BYTES);

/** What is used of the global; the declarations of Node.js leave it out. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface Lz4Exports {
  compress(start: number, end: number, output: number, table: number): number;
}

/**
 * What `clusterCompressor` makes, octet by octet the same, in two thirds of the time; undefined where the process runs no
 * WebAssembly (`--jitless`).
 */
export function wasmClusterCompressor(): ClusterCompressor | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(lz4Program()), { env: { memory } });
  const { compress } = exports as Lz4Exports;
  const octets = new Uint8Array(memory.buffer);
  return {
    block: octets.subarray(BLOCK, BLOCK + BLOCK_BYTES),
    load(input) {
      octets.fill(0, TABLE, BLOCK);
      octets.set(input, INPUT);
    },
    compress: (start, end) => compress(INPUT + start, INPUT + end, BLOCK, TABLE),
  };
}
