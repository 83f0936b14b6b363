// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { DiskError } from '../../error.ts';
import type { TreeNode } from '../../tree/file-tree.ts';
import { SLOT_BYTES } from '../structures.ts';
import { encodeDirectoryData } from './dirents.ts';
import { flatStorage } from './flat-files.ts';
import type { ImageInode } from './image-inode.ts';
import { MetaSpace } from './meta-space.ts';

/** Where everything but the data of files is, which is in front of it. */
export interface ErofsLayout {
  readonly inodes: readonly ImageInode[];
  readonly metaBlock: number;
  readonly metaBlocks: number;
  readonly xattrBlock: number;
  /** Of the whole image. */
  readonly blocks: number;
}

const MAX_BLOCKS = 0xffffffff;
/** A compressed inode's index, and its header, begin at a multiple of this. Linux, fs/erofs/zmap.c. */
const INDEX_ALIGNMENT = 8;

/**
 * Layout version 1: a block with the superblock; the data of files; the data of directories and links that does not fit
 * behind them; the inodes; the shared attributes. Files, then directories and links, come depth first by the octets of their
 * names, as inodes do, which MetaSpace places in that order. Of files that are the same, only the first has data.
 * @param nextBlock behind the data of files.
 * @throws {DiskError} 'limit' when the image would have more than 2^32 - 1 blocks.
 */
export function layOut(
  inodes: readonly ImageInode[],
  nextBlock: number,
  sharedXattrBytes: number,
  blockBytes: number,
): ErofsLayout {
  let block = nextBlock;
  for (const inode of inodes) {
    const { kind } = inode.node.inode;
    if (kind !== 'directory' && kind !== 'symlink') continue;
    inode.stored = flatStorage(inode, block, blockBytes);
    if (inode.stored.kind === 'flat') block += Math.ceil(inode.stored.blockBytes / blockBytes);
  }
  const metaBlock = block;
  // The first slot stays empty: programs take a name whose inode has the number 0 for no name.
  const space = new MetaSpace(blockBytes, SLOT_BYTES);
  for (const inode of inodes) inode.metaOffset = space.take(metaBytes(inode));
  const xattrBlock = metaBlock + space.blocks;
  const blocks = xattrBlock + Math.ceil(sharedXattrBytes / blockBytes);
  if (blocks > MAX_BLOCKS) {
    throw new DiskError('limit', `EROFS: expected at most ${MAX_BLOCKS} blocks, found ${blocks}`);
  }
  return { inodes, metaBlock, metaBlocks: space.blocks, xattrBlock: sharedXattrBytes > 0 ? xattrBlock : 0, blocks };
}

/** Octets of an inode with what is behind it. */
export function metaBytes({ headBytes, stored }: ImageInode): number {
  if (stored.kind === 'flat') return headBytes + stored.tailBytes;
  return stored.kind === 'compressed' ? indexOffset(headBytes) + stored.index.length : headBytes;
}

/** From an inode's first octet to the header of its index. */
export function indexOffset(headBytes: number): number {
  return Math.ceil(headBytes / INDEX_ALIGNMENT) * INDEX_ALIGNMENT;
}

/** The number by which directories name an inode: its slot. */
export function nidOf({ metaOffset }: ImageInode): number {
  return metaOffset / SLOT_BYTES;
}

/** The data of a directory or a link: all of it. */
export function smallData({ node }: ImageInode, blockBytes: number, nid: (node: TreeNode) => number): Uint8Array {
  const { inode } = node;
  if (inode.kind === 'directory') return encodeDirectoryData(node, blockBytes, nid);
  return inode.kind === 'symlink' ? utf8(inode.target) : new Uint8Array(0);
}
