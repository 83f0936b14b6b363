// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { FILE_TYPES } from '../file-mode.ts';
import { buildTree, type FileTree, type TreeNode } from '../tree/file-tree.ts';
import type { CpioMember } from './write.ts';

/**
 * A tree as members of an archive, each directory before what it holds, by the octets of their names; the root itself is
 * left out, as the kernel makes it. The names of one file share an inode number, and the last has the content, as GNU cpio
 * writes it. Extended attributes, which the format cannot hold, are left out.
 * @throws {DiskError} as `buildTree`.
 */
export function* cpioMembers(tree: FileTree): Generator<CpioMember, void> {
  const root = buildTree(tree);
  const linked = new Map<TreeNode, { readonly ino: number; left: number }>();
  const stack = [...named('', root)].reverse();
  let nextIno = 1;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { path, node } = next;
    const { inode, names } = node;
    const link = linked.get(node) ?? { ino: nextIno++, left: names };
    linked.set(node, link);
    link.left--;
    const content = link.left === 0 ? contentOf(node) : undefined;
    yield {
      path,
      mode: FILE_TYPES[inode.kind] | inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      mtime: inode.mtimeSeconds,
      ino: link.ino,
      nlink: names,
      ...(content === undefined ? {} : { content }),
      ...('device' in inode ? { rdev: inode.device } : {}),
    };
    // One by one: a directory may have more entries than a call takes arguments.
    for (const child of [...named(`${path}/`, node)].reverse()) stack.push(child);
  }
}

function* named(prefix: string, directory: TreeNode): Generator<{ readonly path: string; readonly node: TreeNode }> {
  for (const { name, node } of directory.children) yield { path: `${prefix}${parseUtf8(name)}`, node };
}

function contentOf({ inode }: TreeNode): ByteSource | undefined {
  if (inode.kind === 'file') return inode.content;
  return inode.kind === 'symlink' ? memorySource(utf8(inode.target), inode.path) : undefined;
}
