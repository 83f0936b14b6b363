// SPDX-License-Identifier: Apache-2.0
import type { BlockWriter } from './block-writer.ts';
import { ClusterIndex } from './cluster-index.ts';
import { BATCH_BYTES, type CompressedBatch, type CompressionBatch, IS_PLAIN } from './compress-batch.ts';
import { BLOCK_BYTES, type TailStore, writeFlatFile } from './erofs-image.ts';
import { type Copies, flatStorage } from './flat-files.ts';
import type { ImageInode } from './image-inode.ts';
import { indexOffset } from './layout.ts';

/** A part of a file, in a batch. */
interface Part {
  readonly inode: ImageInode;
  /** In the file. */
  readonly start: number;
  readonly isLast: boolean;
}

/** Parts to compress, and what comes before, between and behind them: files that are not compressed, in the image's order. */
export interface FileBatch {
  readonly work: CompressionBatch;
  /** Of the work, in order; a file that is not compressed is a part that the work does not have. */
  readonly members: readonly (Part | { readonly inode: ImageInode; readonly isFlat: true })[];
}

/** A file as large as a block or smaller cannot take less. */
const isWorthIt = (inode: ImageInode): boolean => inode.dataBytes > BLOCK_BYTES;

/** Octets that all batches together have. */
export const compressedBytes = (inodes: readonly ImageInode[]): number =>
  inodes.reduce((sum, image) => sum + (image.node.inode.kind === 'file' && isWorthIt(image) ? image.dataBytes : 0), 0);

/** Buffers that are used again: each is as large as a batch. */
export class BatchBuffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(BATCH_BYTES);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}

/**
 * All files in their order, in batches; contents are read as batches are asked for. What is larger than a batch is
 * compressed in parts of that size: by several threads with the same outcome, and within bounded memory.
 */
export function* fileBatches(inodes: readonly ImageInode[], buffers: BatchBuffers): Generator<FileBatch, void> {
  let members: FileBatch['members'][number][] = [];
  let ends: number[] = [];
  let input: Uint8Array<ArrayBuffer> | undefined;
  let used = 0;
  const take = (): FileBatch => {
    const batch = { work: { input: input ?? new Uint8Array(0), ends: Uint32Array.from(ends) }, members };
    members = [];
    ends = [];
    input = undefined;
    used = 0;
    return batch;
  };
  for (const inode of inodes) {
    const { inode: of } = inode.node;
    if (of.kind !== 'file') continue;
    if (!isWorthIt(inode)) {
      members.push({ inode, isFlat: true });
      continue;
    }
    for (let start = 0; start < inode.dataBytes; start += BATCH_BYTES) {
      const length = Math.min(BATCH_BYTES, inode.dataBytes - start);
      if (used + length > BATCH_BYTES) yield take();
      input ??= buffers.take();
      of.content.read(start, input.subarray(used, used + length));
      used += length;
      ends.push(used);
      members.push({ inode, start, isLast: start + length === inode.dataBytes });
    }
  }
  yield take();
}

/** Writes what became of the batches, in their order, and says for each file where it is. */
export class CompressedFiles {
  readonly #writer: BlockWriter;
  readonly #tails: TailStore;
  #index: ClusterIndex | undefined;
  #firstBlock = 0;
  /** Whether any file is compressed. */
  isCompressed = false;

  constructor(writer: BlockWriter, tails: TailStore) {
    this.#writer = writer;
    this.#tails = tails;
  }

  /** @throws {BytesError} */
  write({ members }: FileBatch, { output, counts, starts }: CompressedBatch): void {
    let part = 0;
    let block = 0;
    for (const member of members) {
      if ('isFlat' in member) {
        this.#writeFlat(member.inode, this.#writer.nextBlock);
        continue;
      }
      const count = counts[part++] as number;
      const bytes = output.subarray(block * BLOCK_BYTES, (block + count) * BLOCK_BYTES);
      this.#writePart(member, bytes, starts.subarray(block, block + count));
      block += count;
    }
  }

  #writePart({ inode, start, isLast }: Part, blocks: Uint8Array, starts: Uint32Array): void {
    if (this.#index === undefined) {
      this.#index = new ClusterIndex(inode.dataBytes);
      this.#firstBlock = this.#writer.nextBlock;
    }
    for (const word of starts) this.#index.add(start + (word & ~IS_PLAIN), word >= IS_PLAIN);
    if (!isLast) {
      this.#writer.writeBytes(blocks);
      return;
    }
    const index = this.#index;
    this.#index = undefined;
    const headerOffset = indexOffset(inode.headBytes);
    const flat = flatStorage(inode, this.#firstBlock, BLOCK_BYTES);
    const flatBytes = Math.ceil(flat.blockBytes / BLOCK_BYTES) * BLOCK_BYTES + flat.tailBytes;
    if (index.blocks * BLOCK_BYTES + index.sizeBytes(headerOffset) >= flatBytes) {
      this.#writer.returnTo(this.#firstBlock);
      this.#writeFlat(inode, this.#firstBlock);
      return;
    }
    this.#writer.writeBytes(blocks);
    inode.stored = { kind: 'compressed', index: index.encode(headerOffset, this.#firstBlock), blocks: index.blocks };
    this.isCompressed = true;
  }

  #writeFlat(inode: ImageInode, firstBlock: number): void {
    inode.stored = flatStorage(inode, firstBlock, BLOCK_BYTES);
    writeFlatFile(this.#writer, inode, NO_COPIES, this.#tails);
  }
}

const NO_COPIES: Copies = new Map();
