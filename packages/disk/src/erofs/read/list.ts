// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { DiskError } from '../../error.ts';
import { FILE_TYPE_NUMBERS } from '../structures.ts';
import { type ErofsDirent, readErofsDirectory } from './directory.ts';
import { type ErofsInode, readErofsInode } from './inode.ts';
import { erofsMalformed } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** A name in an image with its inode. Nothing makes its path safe to use on a host. */
export interface ErofsEntry {
  /** Parts between slashes, no leading one; '' for the root. Untrusted. */
  readonly path: string;
  readonly inode: ErofsInode;
}

/** Entries that are listed at most. */
const MAX_ENTRIES = 16_000_000;
/** PATH_MAX of Linux, <linux/limits.h>, with the NUL. It bounds the depth too. */
const MAX_PATH_BYTES = 4095;

interface Level {
  readonly prefix: string;
  readonly prefixBytes: number;
  readonly nid: number;
  readonly entries: Iterator<ErofsDirent, void>;
}

/**
 * Every name in the image, the root first, each directory before what it holds, there by the octets of the names. An inode
 * with several names comes as often.
 *
 * Sizes are what the image says: whoever reads contents decides how much is too much, since holes and compressed data take
 * little room.
 * @throws {DiskError} 'erofs_malformed', also when a directory has two names: so the work is bounded by the size of the
 * image; 'erofs_unsupported', 'name_invalid', 'limit'. @throws {BytesError}
 */
export function* listErofs(volume: ErofsVolume): Generator<ErofsEntry, void> {
  const root = readRoot(volume);
  yield { path: '', inode: root };
  const seen = new Set([root.nid]);
  const levels: Level[] = [
    { prefix: '', prefixBytes: 0, nid: root.nid, entries: readErofsDirectory(volume, root, root.nid) },
  ];
  let count = 1;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.entries.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    if (++count > MAX_ENTRIES) throw limit(volume, `more than ${MAX_ENTRIES} entries`);
    const { name } = next.value;
    const path = level.prefix + name;
    const inode = inodeOf(volume, next.value);
    if (inode.kind !== 'directory') {
      // Most paths are far from the limit whatever their characters are.
      if (path.length * 3 > MAX_PATH_BYTES && utf8(path).length > MAX_PATH_BYTES) throw pathLimit(volume);
      yield { path, inode };
      continue;
    }
    const prefixBytes = level.prefixBytes + utf8(name).length + 1;
    if (prefixBytes > MAX_PATH_BYTES) throw pathLimit(volume);
    if (seen.has(inode.nid)) {
      throw erofsMalformed(volume.source, `expected directory ${inode.nid} under one name, found it under another too`);
    }
    seen.add(inode.nid);
    yield { path, inode };
    const entries = readErofsDirectory(volume, inode, level.nid);
    levels.push({ prefix: `${path}/`, prefixBytes, nid: inode.nid, entries });
  }
}

/**
 * Looks a path up; symbolic links are not followed.
 * @throws {DiskError} 'not_found', 'not_a_file' when a part of the path is no directory, 'erofs_malformed',
 * 'erofs_unsupported', 'name_invalid'. @throws {BytesError}
 */
export function findErofsEntry(volume: ErofsVolume, path: string): ErofsEntry {
  const parts = path.split('/').filter((part) => part !== '');
  let inode = readRoot(volume);
  let parentNid = inode.nid;
  for (const [i, part] of parts.entries()) {
    const here = parts.slice(0, i).join('/');
    if (inode.kind !== 'directory') {
      throw new DiskError('not_a_file', `${volume.source.label}: ${here}: expected a directory, found a ${inode.kind}`);
    }
    const directory = inode;
    inode = inodeOf(volume, named(volume, directory, parentNid, part, here));
    parentNid = directory.nid;
  }
  return { path: parts.join('/'), inode };
}

function named(volume: ErofsVolume, directory: ErofsInode, parentNid: number, name: string, here: string): ErofsDirent {
  for (const entry of readErofsDirectory(volume, directory, parentNid)) if (entry.name === name) return entry;
  throw new DiskError('not_found', `${volume.source.label}: no ${name} in /${here}`);
}

function readRoot(volume: ErofsVolume): ErofsInode {
  const root = readErofsInode(volume, volume.rootNid);
  if (root.kind !== 'directory')
    throw erofsMalformed(volume.source, `expected the root a directory, found a ${root.kind}`);
  return root;
}

function inodeOf(volume: ErofsVolume, { name, nid, fileType }: ErofsDirent): ErofsInode {
  const inode = readErofsInode(volume, nid);
  if (fileType !== 0 && fileType !== FILE_TYPE_NUMBERS[inode.kind]) {
    throw erofsMalformed(
      volume.source,
      `${JSON.stringify(name)}: expected file type ${fileType}, found a ${inode.kind}`,
    );
  }
  return inode;
}

const limit = ({ source }: ErofsVolume, problem: string): DiskError =>
  new DiskError('limit', `${source.label}: EROFS: ${problem}`);
const pathLimit = (volume: ErofsVolume): DiskError => limit(volume, `a path of more than ${MAX_PATH_BYTES} octets`);
