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

/** Octets of a directory: whole blocks, and of the last what is in use. */
export function directoryBytes(directory: TreeNode, blockBytes: number): number {
  let blocks = 0;
  let used = blockBytes;
  for (const { name } of entriesOf(directory)) {
    const bytes = DIRENT_BYTES + name.length;
    if (used + bytes > blockBytes) {
      blocks++;
      used = 0;
    }
    used += bytes;
  }
  return (blocks - 1) * blockBytes + used;
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
  const data = new Uint8Array(directoryBytes(directory, blockBytes));
  const view = new DataView(data.buffer);
  const entries = entriesOf(directory);
  for (let first = 0, start = 0; first < entries.length; start += blockBytes) {
    let end = first;
    for (let used = 0; end < entries.length; end++) {
      used += DIRENT_BYTES + (entries[end] as NamedNode).name.length;
      if (used > blockBytes) break;
    }
    let nameAt = (end - first) * DIRENT_BYTES;
    // `erofsDirent`, by hand: there are as many as names.
    for (let at = start; first < end; first++, at += DIRENT_BYTES) {
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
