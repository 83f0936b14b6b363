// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type CancelSignal, parseUtf8, TextError } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import { DiskError } from '../error.ts';
import { fileKindOf, PERMISSION_MASK } from '../file-mode.ts';
import { sortByOctets } from '../tree/compare.ts';
import { MAX_ENTRIES, type TreeEntry, type TreeInode } from '../tree/file-tree.ts';
import { memberPath } from '../tree/member-path.ts';
import type { OpenFiles } from './open-files.ts';
import { readXattrs } from './read-xattrs.ts';

export interface FolderTreeOptions {
  /** 'ignore' leaves all out, also what gives programs their capabilities. */
  readonly xattrs?: 'read' | 'ignore';
  readonly maxEntries?: number;
  readonly signal?: CancelSignal | undefined;
}

/** An entry, and what other names of it have in common with it. */
interface Found {
  readonly inode: TreeInode;
  /** Undefined where it has no other name. */
  readonly identity: string | undefined;
}

const WITH_NANOSECONDS = { bigint: true } as const;

/**
 * A folder as a tree, with owners, modes, times, links, devices and extended attributes as they are there; links are not
 * followed. Contents are read when they are needed.
 * @throws {DiskError} 'name_invalid' for a name that is not UTF-8; 'xattrs_unreadable', 'limit'. @throws {BytesError}
 */
export function folderTree(root: string, files: OpenFiles, options: FolderTreeOptions = {}): TreeEntry[] {
  const { xattrs = 'read', maxEntries = MAX_ENTRIES, signal } = options;
  const found: Found[] = [];
  // Each folder is listed before what is behind it, so that what is found is mostly in order.
  const ahead = [''];
  for (let path = ahead.pop(); path !== undefined; path = ahead.pop()) {
    const place = placeOf(root, path);
    const stats = statsOf(place);
    if (found.length >= maxEntries)
      throw new DiskError('limit', `${root}: expected at most ${maxEntries} entries, found more`);
    const inode = inodeOf(place, path, stats, files);
    const isDirectory = inode.kind === 'directory';
    found.push({ inode, identity: stats.nlink < 2n || isDirectory ? undefined : `${stats.dev}:${stats.ino}` });
    if (!isDirectory) continue;
    signal?.throwIfAborted();
    const names = namesIn(place);
    const prefix = path === '' ? '' : `${path}/`;
    for (let i = names.length - 1; i >= 0; i--) ahead.push(memberPath(prefix + names[i]));
  }
  // Hosts list a folder in any order.
  sortByOctets(found, ({ inode }) => inode.path);
  const attributes = xattrs === 'read' ? readXattrs(found.map(({ inode }) => join(root, inode.path))) : undefined;
  const firstNames = new Map<string, string>();
  return found.map(({ inode, identity }, i): TreeEntry => {
    const { path } = inode;
    if (identity !== undefined) {
      const target = firstNames.get(identity);
      if (target !== undefined) return { kind: 'hardlink', path, target };
      firstNames.set(identity, path);
    }
    const own = attributes?.[i] ?? [];
    return own.length === 0 ? inode : { ...inode, xattrs: own };
  });
}

/** Of a root that is absolute and in its shortest form, as `realpath` gives it. */
function placeOf(root: string, path: string): string {
  if (path === '') return root;
  return root.endsWith('/') ? root + path : `${root}/${path}`;
}

function statsOf(place: string): BigIntStats {
  try {
    return lstatSync(place, WITH_NANOSECONDS);
  } catch (cause) {
    throw hostError(place, cause);
  }
}

function namesIn(folder: string): string[] {
  return onHost(folder, () => {
    const names = readdirSync(folder);
    if (names.every(isWhole)) return names;
    return readdirSync(folder, { encoding: 'buffer' }).map((octets) => textOf(octets, folder));
  });
}

/** The host's texts have U+FFFD for octets that are not UTF-8; only the octets tell whether it was there before. */
const isWhole = (text: string): boolean => !text.includes('\ufffd');

function targetOf(place: string): string {
  return onHost(place, () => {
    const target = readlinkSync(place);
    return isWhole(target) ? target : textOf(readlinkSync(place, { encoding: 'buffer' }), place);
  });
}

function textOf(octets: Uint8Array, place: string): string {
  try {
    return parseUtf8(octets);
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new DiskError(
      'name_invalid',
      `${place}: expected names and links in UTF-8, found ${JSON.stringify(Buffer.from(octets).toString('latin1'))}`,
      { cause },
    );
  }
}

/** Of each file an object, small ones: thousands that live as long as the tree are what memory is cleared of last. */
function inodeOf(place: string, path: string, stats: BigIntStats, files: OpenFiles): TreeInode {
  const modeBits = Number(stats.mode);
  const kind = fileKindOf(modeBits);
  if (kind === undefined)
    throw new DiskError('tree_invalid', `${place}: expected a file, directory, link, device, pipe or socket`);
  // File systems here know no time before 1970.
  const time = stats.mtimeNs < 0n ? 0n : stats.mtimeNs;
  const mtimeNanoseconds = Number(time % 1_000_000_000n);
  const mode = modeBits & PERMISSION_MASK;
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const mtimeSeconds = Number(time / 1_000_000_000n);
  const attributes =
    mtimeNanoseconds === 0
      ? { path, mode, uid, gid, mtimeSeconds }
      : { path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds };
  switch (kind) {
    case 'file': {
      const { dev: device, ino: inode, mtimeNs } = stats;
      const content = files.source({ path: place, sizeBytes: Number(stats.size), device, inode, mtimeNs });
      return { kind, ...attributes, content };
    }
    case 'symlink':
      return { kind, ...attributes, target: targetOf(place) };
    case 'block':
    case 'character':
      return { kind, ...attributes, device: deviceOf(stats.rdev) };
    default:
      return { kind, ...attributes };
  }
}

/** glibc 2.36, sysdeps/sysmacros.h, gnu_dev_major and gnu_dev_minor. */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}

function onHost<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof DiskError) throw cause;
    throw hostError(path, cause);
  }
}
