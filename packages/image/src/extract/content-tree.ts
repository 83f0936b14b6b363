// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
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
 * @throws {ImageError} 'no_files' for what has no files, or whose files are not read here. @throws {DiskError} on the way.
 */
export function contentTree(source: ByteSource): Iterable<TreeEntry> {
  const kind = recogniseArtefact(source);
  switch (kind) {
    case 'erofs':
      return erofsTree(openErofs(source));
    case 'fat':
      return fatTree(source);
    case 'initrd':
      return cpioTree(source);
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

/** A later member of the same path takes the place of an earlier one, as in the kernel; whoever uses them has to see to it. */
function* cpioTree(source: ByteSource): Generator<TreeEntry, void> {
  for (const entry of readCpio(source)) {
    const { header, kind } = entry;
    const common: TreeAttributes = {
      path: entry.path.replace(/^(\.?\/)+|^\.$/, ''),
      mode: entry.permissions,
      uid: header.uid,
      gid: header.gid,
      mtimeSeconds: header.mtime,
    };
    if (kind === 'file') yield { ...common, kind, content: entry.content };
    else if (kind === 'symlink') yield { ...common, kind, target: readCpioLink(entry) };
    else if (kind === 'block' || kind === 'character') {
      yield { ...common, kind, device: { major: header.rdevMajor, minor: header.rdevMinor } };
    } else yield { ...common, kind };
  }
}
