// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import { type ByteSink, readBytes } from '@vouchsafe/bytes';
import { FILE_TYPES } from '../../file-mode.ts';
import type { TreeNode } from '../../tree/file-tree.ts';
import { COMPRESSED_COMPACT, FLAT_INLINE, FLAT_PLAIN } from '../structures.ts';
import type { ImageInode } from './image-inode.ts';
import { type ErofsLayout, indexOffset, metaBytes, smallData } from './layout.ts';
import { xattrCount } from './xattrs.ts';

/** Blocks of metadata that are put together before they are written. */
const WINDOW_BLOCKS = 256;

export interface MetadataContext {
  readonly blockBytes: number;
  readonly nid: (node: TreeNode) => number;
  /** Ends of files that were kept while their data was written; the others are read again. */
  readonly tails: ReadonlyMap<ImageInode, Uint8Array>;
  readonly signal: CancelSignal | undefined;
}

/** The inodes, a window of blocks at a time. */
export function writeMetadata(sink: ByteSink, layout: ErofsLayout, context: MetadataContext): void {
  const { metaBlock, metaBlocks } = layout;
  const { blockBytes, signal } = context;
  const byWindow = inodesByWindow(layout, WINDOW_BLOCKS * blockBytes);
  const buffer = new Uint8Array(Math.min(WINDOW_BLOCKS, metaBlocks) * blockBytes);
  let carried = new Uint8Array(0);
  for (let block = 0; block < metaBlocks; block += WINDOW_BLOCKS) {
    signal?.throwIfAborted();
    const start = block * blockBytes;
    const window = buffer.subarray(0, Math.min(WINDOW_BLOCKS, metaBlocks - block) * blockBytes).fill(0);
    // An index, unlike attributes, may be longer than a window.
    const fromBefore = Math.min(carried.length, window.length);
    window.set(carried.subarray(0, fromBefore));
    carried = carried.slice(fromBefore);
    for (const inode of byWindow[block / WINDOW_BLOCKS] ?? []) {
      const at = inode.metaOffset - start;
      const length = metaBytes(inode);
      if (at + length <= window.length) {
        putInode(window, at, inode, context);
        continue;
      }
      const octets = new Uint8Array(length);
      putInode(octets, 0, inode, context);
      window.set(octets.subarray(0, window.length - at), at);
      carried = octets.slice(window.length - at);
    }
    sink.write(metaBlock * blockBytes + start, window);
  }
}

/** Inodes by the window that they begin in; at most one of each goes beyond its end. */
function inodesByWindow({ inodes, metaBlocks }: ErofsLayout, windowBytes: number): readonly ImageInode[][] {
  const windows: ImageInode[][] = Array.from({ length: Math.ceil(metaBlocks / WINDOW_BLOCKS) }, () => []);
  for (const inode of inodes) windows[Math.floor(inode.metaOffset / windowBytes)]?.push(inode);
  return windows;
}

/** The inode, its attributes, and the part of its data, or the index, that stands behind them. The target is zeros. */
function putInode(target: Uint8Array, at: number, image: ImageInode, context: MetadataContext): void {
  const { stored, headBytes, xattrs } = image;
  putHead(new DataView(target.buffer, target.byteOffset + at), image);
  if (xattrs.length > 0) target.set(xattrs, at + headBytes - xattrs.length);
  if (stored.kind === 'compressed') target.set(stored.index, at + indexOffset(headBytes));
  else if (stored.kind === 'flat' && stored.tailBytes > 0) target.set(tailOf(image, context), at + headBytes);
}

/** `erofsInodeCompact` and `erofsInodeExtended`, by hand: there are as many as files, and each would be many objects. */
function putHead(view: DataView, image: ImageInode): void {
  const { isExtended, dataBytes, linkCount } = image;
  const { inode } = image.node;
  view.setUint16(0, (layoutOf(image) << 1) | (isExtended ? 1 : 0), true);
  view.setUint16(2, xattrCount(image.xattrs.length), true);
  view.setUint16(4, FILE_TYPES[inode.kind] | inode.mode, true);
  view.setUint32(16, unionOf(image), true);
  view.setUint32(20, image.ino, true);
  if (isExtended) {
    setUint64(view, 8, dataBytes);
    view.setUint32(24, inode.uid, true);
    view.setUint32(28, inode.gid, true);
    setUint64(view, 32, inode.mtimeSeconds);
    view.setUint32(40, inode.mtimeNanoseconds ?? 0, true);
    view.setUint32(44, linkCount, true);
  } else {
    view.setUint16(6, linkCount, true);
    view.setUint32(8, dataBytes, true);
    view.setUint16(24, inode.uid, true);
    view.setUint16(26, inode.gid, true);
  }
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function layoutOf({ stored }: ImageInode): number {
  if (stored.kind === 'compressed') return COMPRESSED_COMPACT;
  return stored.kind === 'flat' && stored.tailBytes > 0 ? FLAT_INLINE : FLAT_PLAIN;
}

function unionOf({ stored, node: { inode } }: ImageInode): number {
  if ('device' in inode) return encodeDevice(inode.device);
  if (stored.kind === 'compressed') return stored.blocks;
  return stored.kind === 'flat' ? stored.firstBlock : 0;
}

/** Linux, include/linux/kdev_t.h, new_encode_dev. */
function encodeDevice({ major, minor }: { readonly major: number; readonly minor: number }): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function tailOf(image: ImageInode, { tails, blockBytes, nid }: MetadataContext): Uint8Array {
  const { stored, node, dataBytes } = image;
  const tailBytes = stored.kind === 'flat' ? stored.tailBytes : 0;
  const from = dataBytes - tailBytes;
  if (node.inode.kind !== 'file') return smallData(image, blockBytes, nid).subarray(from);
  return tails.get(image) ?? readBytes(node.inode.content, from, tailBytes);
}
