// SPDX-License-Identifier: Apache-2.0
// Runs in a worker thread: compresses batches; buffers come and go without being copied.
import { parentPort } from 'node:worker_threads';
import { clusterCompressor, compressBatch } from '../erofs/write/compress-batch.ts';
import type { CompressionResult, CompressionTask } from './compression-messages.ts';
import { wasmClusterCompressor } from './lz4/wasm-compressor.ts';

const compressor = wasmClusterCompressor() ?? clusterCompressor();

parentPort?.on('message', ({ id, work, output }: CompressionTask) => {
  const compressed = compressBatch(work, output, compressor);
  const result: CompressionResult = { id, compressed, input: work.input };
  parentPort?.postMessage(result, [compressed.output.buffer, work.input.buffer]);
});
