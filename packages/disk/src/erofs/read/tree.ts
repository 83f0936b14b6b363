// SPDX-License-Identifier: Apache-2.0
import type { TreeAttributes, TreeEntry } from '../../tree/file-tree.ts';
import { openErofsFile, readErofsLink } from './file.ts';
import { type ErofsEntry, listErofs } from './list.ts';
import type { ErofsVolume } from './volume.ts';
import { readErofsXattrs } from './xattrs.ts';

/**
 * An image's content in the form that the writers take: to compare, to extract, to write again. Contents are read when
 * asked for. The second name of an inode and those after it are hard links to the first.
 * @throws {DiskError} as `listErofs`, `openErofsFile`, `readErofsXattrs`. @throws {BytesError}
 */
export function* erofsTree(volume: ErofsVolume): Generator<TreeEntry, void> {
  const firstNames = new Map<number, string>();
  for (const entry of listErofs(volume)) {
    const { path, inode } = entry;
    const target = firstNames.get(inode.nid);
    if (target !== undefined) {
      yield { kind: 'hardlink', path, target };
      continue;
    }
    // Whatever its link count says: a small image must not become a large one through names of one file.
    if (inode.kind !== 'directory') firstNames.set(inode.nid, path);
    yield treeEntry(volume, entry);
  }
}

function treeEntry(volume: ErofsVolume, { path, inode }: ErofsEntry): TreeEntry {
  const { kind, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, device } = inode;
  const xattrs = readErofsXattrs(volume, inode);
  const attributes: TreeAttributes = { path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs };
  switch (kind) {
    case 'file':
      return { ...attributes, kind, content: openErofsFile(volume, inode) };
    case 'symlink':
      return { ...attributes, kind, target: readErofsLink(volume, inode) };
    case 'block':
    case 'character':
      return { ...attributes, kind, device: device as NonNullable<typeof device> };
    default:
      return { ...attributes, kind };
  }
}
