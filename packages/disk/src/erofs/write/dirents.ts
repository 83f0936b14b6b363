// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { compareBytes } from '../../tree/compare.ts';
import type { TreeNode } from '../../tree/file-tree.ts';
import { DIRENT_BYTES, FILE_TYPE_NUMBERS } from '../structures.ts';

interface NamedNode {
  readonly name: Uint8Array;
  readonly node: TreeNode;
}

/** A directory's entries, "." and ".." among them, by octets of the name, as its blocks hold them. */
function blocksOf(directory: TreeNode, blockBytes: number): { entries: NamedNode[]; bytes: number }[] {
  const own = [
    { name: ascii('.'), node: directory },
    { name: ascii('..'), node: directory.parent },
  ];
  const all = [...own, ...directory.children].sort((a, b) => compareBytes(a.name, b.name));
  const blocks: { entries: NamedNode[]; bytes: number }[] = [];
  let block: { entries: NamedNode[]; bytes: number } | undefined;
  for (const entry of all) {
    const bytes = DIRENT_BYTES + entry.name.length;
    if (block === undefined || block.bytes + bytes > blockBytes) {
      block = { entries: [], bytes: 0 };
      blocks.push(block);
    }
    block.entries.push(entry);
    block.bytes += bytes;
  }
  return blocks;
}

/** Octets of a directory: whole blocks, and of the last what is in use. */
export function directoryBytes(directory: TreeNode, blockBytes: number): number {
  const blocks = blocksOf(directory, blockBytes);
  return (blocks.length - 1) * blockBytes + (blocks.at(-1)?.bytes ?? 0);
}

/**
 * A directory's data. In each block the entries come first, then their names without NULs, and zeros behind the last.
 * Linux, Documentation/filesystems/erofs.rst, "Directories".
 */
export function encodeDirectoryData(
  directory: TreeNode,
  blockBytes: number,
  nidOf: (node: TreeNode) => number,
): Uint8Array {
  const blocks = blocksOf(directory, blockBytes);
  const data = new Uint8Array((blocks.length - 1) * blockBytes + (blocks.at(-1)?.bytes ?? 0));
  const view = new DataView(data.buffer);
  for (const [i, { entries }] of blocks.entries()) {
    const start = i * blockBytes;
    let nameAt = entries.length * DIRENT_BYTES;
    // `erofsDirent`, by hand: there are as many as names.
    for (const [j, { name, node }] of entries.entries()) {
      const at = start + j * DIRENT_BYTES;
      const nid = nidOf(node);
      view.setUint32(at, nid % 2 ** 32, true);
      view.setUint32(at + 4, Math.floor(nid / 2 ** 32), true);
      view.setUint16(at + 8, nameAt, true);
      view.setUint8(at + 10, FILE_TYPE_NUMBERS[node.inode.kind]);
      data.set(name, start + nameAt);
      nameAt += name.length;
    }
  }
  return data;
}
