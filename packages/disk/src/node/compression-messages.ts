// SPDX-License-Identifier: Apache-2.0
import type { CompressedBatch, CompressionBatch } from '../erofs/write/compress-batch.ts';

export interface CompressionTask {
  readonly id: number;
  readonly work: CompressionBatch;
  readonly output: Uint8Array<ArrayBuffer>;
}

export interface CompressionResult {
  readonly id: number;
  readonly compressed: CompressedBatch;
  /** To be used again. */
  readonly input: Uint8Array<ArrayBuffer>;
}
