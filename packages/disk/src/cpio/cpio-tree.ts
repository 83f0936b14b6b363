// SPDX-License-Identifier: Apache-2.0
import type { TreeAttributes, TreeEntry } from '../tree/file-tree.ts';
import { GrowingTree } from '../tree/growing-tree.ts';
import { memberPath } from '../tree/member-path.ts';
import { malformed } from './header.ts';
import { type CpioEntry, readCpioLink } from './read.ts';

/**
 * What the members of archives make, as the kernel unpacks an initrd: of a path that comes again the last one counts, and
 * members of one inode number within an archive are names of one file, whose content comes with any of them. Linux,
 * init/initramfs.c, maybe_link and clean_path.
 * @param archives the members of each; inode numbers mean nothing beyond their archive.
 * @throws {DiskError} 'cpio_malformed', 'path_escape', 'link_followed', 'tree_invalid', 'limit'. @throws {BytesError}
 */
export function cpioTree(archives: Iterable<Iterable<CpioEntry>>, maxEntries?: number): TreeEntry[] {
  const tree = new GrowingTree({ duplicates: 'replace', ...(maxEntries === undefined ? {} : { maxEntries }) });
  for (const members of archives) {
    tree.startLayer();
    // A name each; the one that has the content comes last and gives it to all.
    const names = new Map<string, string[]>();
    for (const member of members) addMember(tree, member, names);
  }
  return [...tree.entries()];
}

function addMember(tree: GrowingTree, member: CpioEntry, names: Map<string, string[]>): void {
  const { header, kind, content } = member;
  const entry = entryOf(member);
  const isLinked = header.nlink > 1 && kind !== 'directory';
  if (!isLinked) {
    tree.add(entry);
    return;
  }
  const key = `${header.deviceMajor}:${header.deviceMinor}:${header.ino}:${kind}`;
  const [first, ...others] = names.get(key) ?? [];
  if (first === undefined) {
    names.set(key, [entry.path]);
    tree.add(entry);
    return;
  }
  if (content.size > 0 && kind === 'file') {
    tree.add({ ...entry, path: first });
    for (const path of others) if (path !== first) tree.add({ kind: 'hardlink', path, target: first });
  }
  if (entry.path !== first) tree.add({ kind: 'hardlink', path: entry.path, target: first });
  names.set(key, [first, ...others, entry.path]);
}

function entryOf(member: CpioEntry): Exclude<TreeEntry, { kind: 'hardlink' }> {
  const { kind, permissions, header, content, offset } = member;
  const path = memberPath(member.path);
  if (path === '' && kind !== 'directory')
    throw malformed(offset, `expected a path, found ${JSON.stringify(member.path)}`);
  const attributes: TreeAttributes = {
    path,
    mode: permissions,
    uid: header.uid,
    gid: header.gid,
    mtimeSeconds: header.mtime,
  };
  switch (kind) {
    case 'file':
      return { kind, ...attributes, content };
    case 'symlink':
      return { kind, ...attributes, target: readCpioLink(member) };
    case 'block':
    case 'character':
      return { kind, ...attributes, device: { major: header.rdevMajor, minor: header.rdevMinor } };
    default:
      return { kind, ...attributes };
  }
}
