// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { DiskError } from '../error.ts';
import type { TreeNode } from '../tree/file-tree.ts';
import { directoryBytes } from './dirents.ts';
import { MetaSpace } from './meta-space.ts';
import {
  COMPACT_INODE_BYTES,
  EXTENDED_INODE_BYTES,
  FLAT_INLINE,
  FLAT_PLAIN,
  SLOT_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
} from './structures.ts';
import { encodeXattrs } from './xattrs.ts';

/** What all of an image has in common. */
export interface ErofsTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** An inode with its place. */
export interface PlannedInode {
  readonly node: TreeNode;
  /** From 1, in the order of the plan. */
  readonly ino: number;
  readonly isExtended: boolean;
  readonly layout: number;
  /** Octets of data: content, entries or link target. */
  readonly dataBytes: number;
  /** Octets of them behind the inode. */
  readonly tailBytes: number;
  readonly xattrBytes: number;
  /** From the start of the image. */
  readonly offsetBytes: number;
  /** 0 when all of the data is behind the inode. */
  readonly firstBlock: number;
  readonly linkCount: number;
}

export interface ErofsLayout {
  readonly inodes: readonly PlannedInode[];
  readonly metaBlocks: number;
  readonly blocks: number;
}

const MAX_BLOCKS = 0xffffffff;
const MAX_COMPACT_ID = 0xffff;

/**
 * Layout version 1: the superblock, then metadata from octet 1152 on, then data. Inodes come depth first by the octets
 * of their names, the root first; MetaSpace places them in that order, and the data of those that have some outside the
 * metadata follows in the same order. An inode is compact when it can be. The last part of the data stands behind the
 * inode where both fit into one block.
 * @throws {DiskError} 'limit' when the image would have more than 2^32 - 1 blocks.
 */
export function planErofs(root: TreeNode, blockBytes: number, time: ErofsTime): ErofsLayout {
  const space = new MetaSpace(blockBytes, SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES);
  const drafts = inOrder(root).map((node, i) => draftOf(node, i + 1, blockBytes, time, space));
  let nextBlock = space.blocks;
  const inodes = drafts.map((draft): PlannedInode => {
    const blocks = Math.ceil((draft.dataBytes - draft.tailBytes) / blockBytes);
    const firstBlock = blocks === 0 ? 0 : nextBlock;
    nextBlock += blocks;
    return { ...draft, firstBlock };
  });
  if (nextBlock > MAX_BLOCKS)
    throw new DiskError('limit', `EROFS: expected at most ${MAX_BLOCKS} blocks, found ${nextBlock}`);
  return { inodes, metaBlocks: space.blocks, blocks: nextBlock };
}

/** Each inode once, where its first name in the order is. Without recursion: a path may have two thousand parts. */
function inOrder(root: TreeNode): TreeNode[] {
  const seen = new Set<TreeNode>();
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push((node.children[i] as { node: TreeNode }).node);
  }
  return [...seen];
}

function draftOf(
  node: TreeNode,
  ino: number,
  blockBytes: number,
  time: ErofsTime,
  space: MetaSpace,
): Omit<PlannedInode, 'firstBlock'> {
  const dataBytes = dataSize(node, blockBytes);
  const xattrBytes = encodeXattrs(node.inode).length;
  const linkCount = linksOf(node);
  const isExtended = !fitsCompact(node, dataBytes, linkCount, time);
  const headBytes = (isExtended ? EXTENDED_INODE_BYTES : COMPACT_INODE_BYTES) + xattrBytes;
  const tail = dataBytes % blockBytes;
  const isInline = tail > 0 && headBytes + tail <= blockBytes;
  const tailBytes = isInline ? tail : 0;
  return {
    node,
    ino,
    isExtended,
    layout: isInline ? FLAT_INLINE : FLAT_PLAIN,
    dataBytes,
    tailBytes,
    xattrBytes,
    offsetBytes: space.take(headBytes + tailBytes),
    linkCount,
  };
}

function dataSize(node: TreeNode, blockBytes: number): number {
  const { inode } = node;
  if (inode.kind === 'directory') return directoryBytes(node, blockBytes);
  if (inode.kind === 'file') return inode.content.size;
  return inode.kind === 'symlink' ? utf8(inode.target).length : 0;
}

/** A directory has its name, its "." and the ".." of those in it. */
function linksOf({ inode, children, names }: TreeNode): number {
  if (inode.kind !== 'directory') return names;
  return 2 + children.filter(({ node }) => node.inode.kind === 'directory').length;
}

function fitsCompact({ inode }: TreeNode, dataBytes: number, linkCount: number, time: ErofsTime): boolean {
  const { uid, gid, mtimeSeconds, mtimeNanoseconds = 0 } = inode;
  return (
    uid <= MAX_COMPACT_ID &&
    gid <= MAX_COMPACT_ID &&
    linkCount <= 0xffff &&
    dataBytes <= 0xffffffff &&
    mtimeSeconds === time.seconds &&
    mtimeNanoseconds === time.nanoseconds
  );
}

/** The number by which directories name an inode: its slot, counted from the start of the image. */
export function nidOf({ offsetBytes }: PlannedInode): number {
  return offsetBytes / SLOT_BYTES;
}
