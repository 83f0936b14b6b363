// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { compareBytes } from '../../tree/compare.ts';
import type { TreeNode } from '../../tree/file-tree.ts';
import { DIRENT_BYTES, FILE_TYPE_NUMBERS } from '../structures.ts';

const DOT = ascii('.');
const DOT_DOT = ascii('..');

interface NamedNode {
  readonly name: Uint8Array;
  readonly node: TreeNode;
}

/** A directory's entries, "." and ".." among them, by octets of the name. */
function entriesOf(directory: TreeNode): NamedNode[] {
  const own = [
    { name: DOT, node: directory },
    { name: DOT_DOT, node: directory.parent },
  ];
  return [...own, ...directory.children].sort((a, b) => compareBytes(a.name, b.name));
}

/** Of the block that begins with an entry: the entry that the next begins with, and the octets in use. A name always fits. */
function blockFrom(entries: readonly NamedNode[], first: number, blockBytes: number): { next: number; used: number } {
  let next = first;
  let used = 0;
  for (; next < entries.length; next++) {
    const bytes = DIRENT_BYTES + (entries[next] as NamedNode).name.length;
    if (used + bytes > blockBytes) break;
    used += bytes;
  }
  return { next, used };
}

function dataBytes(entries: readonly NamedNode[], blockBytes: number): number {
  let block = blockFrom(entries, 0, blockBytes);
  let start = 0;
  for (; block.next < entries.length; start += blockBytes) block = blockFrom(entries, block.next, blockBytes);
  return start + block.used;
}

/** Octets of a directory: whole blocks, and of the last what is in use. */
export const directoryBytes = (directory: TreeNode, blockBytes: number): number =>
  dataBytes(entriesOf(directory), blockBytes);

/**
 * A directory's data. In each block the entries come first, then their names without NULs, and zeros behind the last.
 * Linux, Documentation/filesystems/erofs.rst, "Directories".
 */
export function encodeDirectoryData(
  directory: TreeNode,
  blockBytes: number,
  nidOf: (node: TreeNode) => number,
): Uint8Array {
  const entries = entriesOf(directory);
  const data = new Uint8Array(dataBytes(entries, blockBytes));
  const view = new DataView(data.buffer);
  for (let first = 0, start = 0; first < entries.length; start += blockBytes) {
    const { next } = blockFrom(entries, first, blockBytes);
    let nameAt = (next - first) * DIRENT_BYTES;
    // `erofsDirent`, by hand: there are as many as names.
    for (let at = start; first < next; first++, at += DIRENT_BYTES) {
      const { name, node } = entries[first] as NamedNode;
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
