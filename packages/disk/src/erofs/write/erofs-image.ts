// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { buildTree, type FileTree, type TreeNode } from '../../tree/file-tree.ts';
import { BlockWriter } from './block-writer.ts';
import { type Copies, placeFlatFiles } from './flat-files.ts';
import { ImageInode, nodesInOrder } from './image-inode.ts';
import { type ErofsLayout, layOut, nidOf, smallData } from './layout.ts';
import { writeMetadata } from './metadata.ts';
import { type ErofsIdentity, encodeFirstBlock, requireIdentity } from './super-block.ts';
import { planXattrs } from './xattrs.ts';

/** Counts up when the same tree would give other octets (docs/decisions/0008-erofs-layout.md). */
export const EROFS_LAYOUT_VERSION = 1;

/** Older kernels mount only images whose blocks are as large as a page, which is 4096 octets on most machines. */
const BLOCK_BITS = 12;
export const BLOCK_BYTES = 2 ** BLOCK_BITS;
/** Behind the block with the superblock. */
export const FIRST_DATA_BLOCK = 1;
/** Ends of files that are kept in memory while data is written: what is beyond it is read a second time. */
const MAX_TAIL_BYTES = 24 * 1024 * 1024;

export interface ErofsRequest extends ErofsIdentity {
  readonly tree: FileTree;
  readonly signal?: CancelSignal | undefined;
}

/** An image that is planned and can be written. */
export interface ErofsImagePlan {
  /** A multiple of 4096. */
  readonly sizeBytes: number;
  readonly inodeCount: number;
  /** @throws {BytesError} from the sink or a content. */
  write(sink: ByteSink, offset?: number): void;
}

/** An image's inodes and attributes, before their data has a place. */
export interface ErofsDraft {
  readonly inodes: readonly ImageInode[];
  readonly sharedXattrs: Uint8Array;
}

/** @throws {DiskError} 'tree_invalid', 'name_invalid', 'options_invalid', 'limit'. */
export function draftErofs(request: ErofsRequest): ErofsDraft {
  requireIdentity(request);
  const nodes = nodesInOrder(buildTree(request.tree));
  const xattrs = planXattrs(nodes.map(({ inode }) => inode));
  const inodes = nodes.map(
    (node, i) => new ImageInode(node, i + 1, xattrs.ofInode(node.inode), BLOCK_BYTES, request.timestampSeconds),
  );
  return { inodes, sharedXattrs: xattrs.shared };
}

/**
 * Plans an EROFS image without compression. The same tree, UUID, time and label give the same octets for ever, in
 * `EROFS_LAYOUT_VERSION`; Linux 5.4 and later mount it. Files with the same content are stored once: those as large as
 * another are read for it.
 * @throws {DiskError} 'tree_invalid', 'name_invalid', 'options_invalid', 'limit'. @throws {BytesError} from a content.
 */
export function planErofsImage(request: ErofsRequest): ErofsImagePlan {
  const { inodes, sharedXattrs } = draftErofs(request);
  const { signal } = request;
  const { copies, nextBlock } = placeFlatFiles(inodes, FIRST_DATA_BLOCK, BLOCK_BYTES, signal);
  const layout = layOut(inodes, nextBlock, sharedXattrs.length, BLOCK_BYTES);
  return {
    sizeBytes: layout.blocks * BLOCK_BYTES,
    inodeCount: inodes.length,
    write: (sink, offset = 0) => {
      const image = sinkAt(sink, offset);
      const writer = new BlockWriter(image, BLOCK_BYTES, FIRST_DATA_BLOCK, signal);
      const tails = new TailStore();
      for (const inode of inodes) writeFlatFile(writer, inode, copies, tails);
      writeRest(image, writer, layout, request, { sharedXattrs, tails, featureIncompat: 0 });
    },
  };
}

/** A sink whose octet 0 is that of the image. */
export function sinkAt(sink: ByteSink, offset: number): ByteSink {
  return { label: sink.label, write: (at, bytes) => sink.write(offset + at, bytes) };
}

const SLAB_BYTES = 1024 * 1024;

/** The ends of files, as far as there is room. */
export class TailStore {
  readonly kept = new Map<ImageInode, Uint8Array>();
  /** Many in one buffer: thousands of small ones are slow to make and to free. */
  #slab = new Uint8Array(0);
  #used = 0;
  #left = MAX_TAIL_BYTES;

  keep(inode: ImageInode, tail: Uint8Array): void {
    if (tail.length > this.#left) return;
    this.#left -= tail.length;
    if (this.#used + tail.length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    this.#slab.set(tail, this.#used);
    this.kept.set(inode, this.#slab.subarray(this.#used, this.#used + tail.length));
    this.#used += tail.length;
  }

  /** The end of a copy is that of the first. */
  keepAs(copy: ImageInode, first: ImageInode): void {
    const tail = this.kept.get(first);
    if (tail !== undefined && copy.stored.kind === 'flat' && copy.stored.tailBytes === tail.length)
      this.kept.set(copy, tail);
  }
}

/** The data of a file that has its place, and is next. */
export function writeFlatFile(writer: BlockWriter, image: ImageInode, copies: Copies, tails: TailStore): void {
  const { stored, node } = image;
  if (node.inode.kind !== 'file' || stored.kind !== 'flat' || image.dataBytes === 0) return;
  const first = copies.get(image);
  if (first !== undefined) {
    tails.keepAs(image, first);
    return;
  }
  const tail = writer.writeContent(node.inode.content, stored.blockBytes, stored.tailBytes);
  if (tail !== undefined) tails.keep(image, tail);
}

export interface WrittenFiles {
  readonly sharedXattrs: Uint8Array;
  readonly tails: TailStore;
  readonly featureIncompat: number;
}

/** What is behind the data of files; the superblock last, so that a half-written image is none. */
export function writeRest(
  image: ByteSink,
  writer: BlockWriter,
  layout: ErofsLayout,
  request: ErofsRequest,
  { sharedXattrs, tails, featureIncompat }: WrittenFiles,
): void {
  const { inodes, xattrBlock } = layout;
  const { signal } = request;
  const nids = new Map(inodes.map((inode) => [inode.node, nidOf(inode)] as const));
  const nid = (node: TreeNode): number => nids.get(node) as number;
  for (const inode of inodes) {
    const { stored, node } = inode;
    if (node.inode.kind === 'file' || stored.kind !== 'flat' || stored.blockBytes === 0) continue;
    writer.writeBytes(smallData(inode, BLOCK_BYTES, nid).subarray(0, stored.blockBytes));
  }
  writer.flush();
  writeMetadata(image, layout, { blockBytes: BLOCK_BYTES, nid, tails: tails.kept, signal });
  if (sharedXattrs.length > 0) {
    const cells = new Uint8Array(Math.ceil(sharedXattrs.length / BLOCK_BYTES) * BLOCK_BYTES);
    cells.set(sharedXattrs);
    image.write(xattrBlock * BLOCK_BYTES, cells);
  }
  image.write(0, encodeFirstBlock(request, layout, featureIncompat, BLOCK_BITS));
}
