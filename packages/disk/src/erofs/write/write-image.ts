// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from '@vouchsafe/bytes';
import { INCOMPAT } from '../features.ts';
import { BlockWriter } from './block-writer.ts';
import {
  type ClusterCompressor,
  type CompressedBatch,
  clusterCompressor,
  compressBatch,
  newOutput,
} from './compress-batch.ts';
import { BatchBuffers, CompressedFiles, compressedBytes, type FileBatch, fileBatches } from './compressed-files.ts';
import {
  BLOCK_BYTES,
  draftErofs,
  type ErofsDraft,
  type ErofsRequest,
  FIRST_DATA_BLOCK,
  planErofsImage,
  sinkAt,
  TailStore,
  writeRest,
} from './erofs-image.ts';
import { layOut } from './layout.ts';

export type ErofsCompression = 'none' | 'lz4';

export interface ErofsWriteRequest extends ErofsRequest {
  /** 'none' unless given. LZ4 is written in blocks of 4096 octets, which Linux 5.4 and later mount. */
  readonly compression?: ErofsCompression | undefined;
  /** A quicker one than that for any runtime, where there is one. It changes no octet. */
  readonly compressor?: ClusterCompressor | undefined;
}

export interface WrittenErofs {
  /** A multiple of 4096. */
  readonly sizeBytes: number;
  readonly inodeCount: number;
}

/**
 * Writes an image in one pass; how large it becomes is known at the end. The same request gives the same octets.
 * @throws {DiskError} as `planErofsImage`. @throws {BytesError}
 */
export function writeErofsImage(request: ErofsWriteRequest, sink: ByteSink, offset = 0): WrittenErofs {
  if (request.compression !== 'lz4') {
    const { write, ...size } = planErofsImage(request);
    write(sink, offset);
    return size;
  }
  const run = startCompressed(request, sink, offset);
  const output = newOutput();
  const compressor = request.compressor ?? clusterCompressor();
  for (const batch of run.batches) {
    run.write(batch, compressBatch(batch.work, output, compressor));
    run.buffers.giveBack(batch.work.input);
  }
  return run.finish();
}

/** A compressed image that is being written: batches are compressed in any order, and written in theirs. */
export interface CompressedRun {
  readonly batches: Iterable<FileBatch>;
  /** For the inputs of batches that are written. */
  readonly buffers: BatchBuffers;
  /** Of all files that are compressed. */
  readonly inputBytes: number;
  write(batch: FileBatch, compressed: CompressedBatch): void;
  finish(): WrittenErofs;
}

export function startCompressed(request: ErofsRequest, sink: ByteSink, offset: number): CompressedRun {
  const draft: ErofsDraft = draftErofs(request);
  const { inodes, sharedXattrs } = draft;
  const image = sinkAt(sink, offset);
  const writer = new BlockWriter(image, BLOCK_BYTES, FIRST_DATA_BLOCK, request.signal);
  const tails = new TailStore();
  const buffers = new BatchBuffers();
  const files = new CompressedFiles(writer, tails);
  return {
    batches: fileBatches(inodes, buffers),
    buffers,
    inputBytes: compressedBytes(inodes),
    write: (batch, compressed) => files.write(batch, compressed),
    finish: () => {
      const layout = layOut(inodes, writer.nextBlock, sharedXattrs.length, BLOCK_BYTES);
      const featureIncompat = files.isCompressed ? INCOMPAT.lz4ZeroPadding : 0;
      writeRest(image, writer, layout, request, { sharedXattrs, tails, featureIncompat });
      return { sizeBytes: layout.blocks * BLOCK_BYTES, inodeCount: inodes.length };
    },
  };
}
