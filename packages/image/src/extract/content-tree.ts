// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
  type CpioEntry,
  compressionOf,
  erofsTree,
  listFat,
  openErofs,
  openFat,
  openFatFile,
  readCpio,
  readCpioLink,
  type TreeAttributes,
  type TreeEntry,
} from '@vouchsafe/disk';
import { ImageError } from '../error.ts';
import { recogniseArtefact } from '../inspect/recognise.ts';

/**
 * The files in a file system or an archive: EROFS, FAT, or cpio that is not compressed. Paths are as they stand there; they
 * may be anything.
 * @throws {ImageError} 'no_files' for what has no files, is compressed, or has files that are not read here. @throws {DiskError} on the way.
 */
export function contentTree(source: ByteSource): Iterable<TreeEntry> {
  const kind = recogniseArtefact(source);
  switch (kind) {
    case 'erofs':
      return erofsTree(openErofs(source));
    case 'fat':
      return fatTree(source);
    case 'initrd': {
      const compression = compressionOf(source);
      if (compression === undefined) return cpioTree(source);
      throw new ImageError('no_files', `${source.label}: it is compressed with ${compression}; decompress it first`);
    }
    default: {
      const next = kind === 'disk' ? 'name a partition' : 'EROFS, FAT and cpio have files that are read here';
      throw new ImageError('no_files', `${source.label}: expected a file system, found ${kind}; ${next}`);
    }
  }
}

/** FAT has neither owners nor modes. */
function* fatTree(source: ByteSource): Generator<TreeEntry, void> {
  const volume = openFat(source);
  const attributes = { uid: 0, gid: 0, mtimeSeconds: 0 };
  yield { ...attributes, path: '', kind: 'directory', mode: 0o755 };
  for (const entry of listFat(volume)) {
    const common: TreeAttributes = {
      ...attributes,
      path: entry.path,
      mode: entry.kind === 'directory' ? 0o755 : 0o644,
      mtimeSeconds: Math.max(0, entry.mtimeSeconds ?? 0),
    };
    if (entry.kind === 'directory') yield { ...common, kind: 'directory' };
    else yield { ...common, kind: 'file', content: openFatFile(volume, entry) };
  }
}

/**
 * Names of one file share an inode number, and the last of them has the content; that one becomes the file, and the others
 * links to it. A later member of the same path takes the place of an earlier one in the kernel; whoever uses them has to see
 * to it.
 */
function* cpioTree(source: ByteSource): Generator<TreeEntry, void> {
  const linked = new Map<string, CpioEntry[]>();
  for (const entry of readCpio(source)) {
    const { header, kind } = entry;
    if (kind !== 'file' || header.nlink < 2) {
      yield treeEntry(entry);
      continue;
    }
    const key = `${header.deviceMajor}:${header.deviceMinor}:${header.ino}`;
    linked.set(key, [...(linked.get(key) ?? []), entry]);
  }
  for (const entries of linked.values()) {
    const file = entries.findLast(({ content }) => content.size > 0) ?? (entries.at(-1) as CpioEntry);
    yield treeEntry(file);
    for (const { path } of entries.filter((entry) => entry !== file)) {
      yield { kind: 'hardlink', path: withoutRoot(path), target: withoutRoot(file.path) };
    }
  }
}

/** Archives made by find(1) begin each path with ./ */
const withoutRoot = (path: string): string => path.replace(/^(\.?\/)+|^\.$/, '');

function treeEntry(entry: CpioEntry): TreeEntry {
  const { header, kind } = entry;
  const common: TreeAttributes = {
    path: withoutRoot(entry.path),
    mode: entry.permissions,
    uid: header.uid,
    gid: header.gid,
    mtimeSeconds: header.mtime,
  };
  switch (kind) {
    case 'file':
      return { ...common, kind, content: entry.content };
    case 'symlink':
      return { ...common, kind, target: readCpioLink(entry) };
    case 'block':
    case 'character':
      return { ...common, kind, device: { major: header.rdevMajor, minor: header.rdevMinor } };
    default:
      return { ...common, kind };
  }
}
