// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import { type ByteSink, readBytes } from '@vouchsafe/bytes';
import { encode } from '@vouchsafe/codec';
import { FILE_TYPES } from '../../file-mode.ts';
import type { TreeNode } from '../../tree/file-tree.ts';
import { COMPRESSED_COMPACT, erofsInodeCompact, erofsInodeExtended, FLAT_INLINE, FLAT_PLAIN } from '../structures.ts';
import type { ImageInode } from './image-inode.ts';
import { type ErofsLayout, indexOffset, smallData } from './layout.ts';
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

/** Inode by inode in the order of the image. */
export function writeMetadata(sink: ByteSink, layout: ErofsLayout, context: MetadataContext): void {
  const { metaBlock, metaBlocks } = layout;
  const { blockBytes, signal } = context;
  const byPlace = layout.inodes.toSorted((a, b) => a.metaOffset - b.metaOffset);
  let next = 0;
  let carried = new Uint8Array(0);
  for (let block = 0; block < metaBlocks; block += WINDOW_BLOCKS) {
    signal?.throwIfAborted();
    const start = block * blockBytes;
    const window = new Uint8Array(Math.min(WINDOW_BLOCKS, metaBlocks - block) * blockBytes);
    // An index, unlike attributes, may be longer than a window.
    const fromBefore = Math.min(carried.length, window.length);
    window.set(carried.subarray(0, fromBefore));
    carried = carried.slice(fromBefore);
    for (; next < byPlace.length; next++) {
      const inode = byPlace[next] as ImageInode;
      const at = inode.metaOffset - start;
      if (at >= window.length) break;
      const octets = encodeInode(inode, context);
      const fitting = Math.min(octets.length, window.length - at);
      window.set(octets.subarray(0, fitting), at);
      if (fitting < octets.length) carried = octets.slice(fitting);
    }
    sink.write(metaBlock * blockBytes + start, window);
  }
}

/** The inode, its attributes, and the part of its data, or the index, that stands behind them. */
function encodeInode(image: ImageInode, context: MetadataContext): Uint8Array {
  const { stored, headBytes, xattrs } = image;
  const head = encodeHead(image);
  const behind = stored.kind === 'compressed' ? stored.index : tailOf(image, context);
  const behindAt = stored.kind === 'compressed' ? indexOffset(headBytes) : headBytes;
  const octets = new Uint8Array(behindAt + behind.length);
  octets.set(head);
  octets.set(xattrs, head.length);
  octets.set(behind, behindAt);
  return octets;
}

function encodeHead(image: ImageInode): Uint8Array {
  const { isExtended, dataBytes, xattrs } = image;
  const { inode } = image.node;
  const common = {
    format: (layoutOf(image) << 1) | (isExtended ? 1 : 0),
    xattrCount: xattrCount(xattrs.length),
    mode: FILE_TYPES[inode.kind] | inode.mode,
    linkCount: image.linkCount,
    union: unionOf(image),
    ino: image.ino,
    uid: inode.uid,
    gid: inode.gid,
    reserved: 0,
  };
  if (!isExtended) return encode(erofsInodeCompact, { ...common, size: dataBytes, reserved2: 0 });
  return encode(erofsInodeExtended, {
    ...common,
    size: BigInt(dataBytes),
    mtime: BigInt(inode.mtimeSeconds),
    mtimeNanoseconds: inode.mtimeNanoseconds ?? 0,
    reserved2: new Uint8Array(16),
  });
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

const NOTHING = new Uint8Array(0);

function tailOf(image: ImageInode, { tails, blockBytes, nid }: MetadataContext): Uint8Array {
  const { stored, node, dataBytes } = image;
  if (stored.kind !== 'flat' || stored.tailBytes === 0) return NOTHING;
  const from = dataBytes - stored.tailBytes;
  if (node.inode.kind !== 'file') return smallData(image, blockBytes, nid).subarray(from);
  return tails.get(image) ?? readBytes(node.inode.content, from, stored.tailBytes);
}
