// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { TreeInode, TreeNode } from '../../tree/file-tree.ts';
import { COMPACT_INODE_BYTES, EXTENDED_INODE_BYTES } from '../structures.ts';
import { directoryBytes } from './dirents.ts';

/** How an inode's data is stored. */
export type Stored =
  | { readonly kind: 'none' }
  /** Whole blocks, and of an inline one the last part behind the inode. */
  | { readonly kind: 'flat'; readonly firstBlock: number; readonly blockBytes: number; readonly tailBytes: number }
  /** Blocks by an index, which is behind the inode, and its header before it. */
  | { readonly kind: 'compressed'; readonly index: Uint8Array; readonly blocks: number };

const NOTHING: Stored = { kind: 'none' };

/** An inode of an image that is being made. */
export class ImageInode {
  readonly node: TreeNode;
  /** From 1, in the order of the image. */
  readonly ino: number;
  readonly isExtended: boolean;
  readonly linkCount: number;
  /** Octets of content, entries or link target. */
  readonly dataBytes: number;
  /** Its attributes as they follow it. */
  readonly xattrs: Uint8Array;
  stored: Stored = NOTHING;
  /** From the start of the metadata. */
  metaOffset = 0;

  constructor(node: TreeNode, ino: number, xattrs: Uint8Array, blockBytes: number, timestampSeconds: number) {
    this.node = node;
    this.ino = ino;
    this.xattrs = xattrs;
    this.linkCount = linksOf(node);
    this.dataBytes = dataSize(node, blockBytes);
    this.isExtended = !fitsCompact(node.inode, this.dataBytes, this.linkCount, timestampSeconds);
  }

  /** The inode with its attributes. */
  get headBytes(): number {
    return (this.isExtended ? EXTENDED_INODE_BYTES : COMPACT_INODE_BYTES) + this.xattrs.length;
  }
}

/**
 * Each inode once, where its first name is: depth first by the octets of the names, the root first. Without recursion: a
 * path may have two thousand parts.
 */
export function nodesInOrder(root: TreeNode): TreeNode[] {
  const seen = new Set<TreeNode>();
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push((node.children[i] as { node: TreeNode }).node);
  }
  return [...seen];
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
  let links = 2;
  for (const { node } of children) if (node.inode.kind === 'directory') links++;
  return links;
}

/** A compact inode has 16 bits for owners and links, 32 for the size, and the time of the image. */
function fitsCompact(
  { uid, gid, mtimeSeconds, mtimeNanoseconds = 0 }: TreeInode,
  dataBytes: number,
  linkCount: number,
  timestampSeconds: number,
): boolean {
  return (
    uid <= 0xffff &&
    gid <= 0xffff &&
    linkCount <= 0xffff &&
    dataBytes <= 0xffffffff &&
    mtimeSeconds === timestampSeconds &&
    mtimeNanoseconds === 0
  );
}
