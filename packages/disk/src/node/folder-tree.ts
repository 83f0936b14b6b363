// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type CancelSignal, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import { DiskError } from '../error.ts';
import { fileKindOf, PERMISSION_MASK } from '../file-mode.ts';
import { compareBytes } from '../tree/compare.ts';
import { MAX_ENTRIES, type TreeAttributes, type TreeEntry, type TreeInode, type Xattr } from '../tree/file-tree.ts';
import { memberPath } from '../tree/member-path.ts';
import type { OpenFiles } from './open-files.ts';
import { readXattrs } from './read-xattrs.ts';

export interface FolderTreeOptions {
  /** 'ignore' leaves all out, also what gives programs their capabilities. */
  readonly xattrs?: 'read' | 'ignore';
  readonly maxEntries?: number;
  readonly signal?: CancelSignal | undefined;
}

/**
 * A folder as a tree, with owners, modes, times, links, devices and extended attributes as they are there; links are not
 * followed. Contents are read when they are needed.
 * @throws {DiskError} 'name_invalid' for a name that is not UTF-8; 'xattrs_unreadable', 'limit'. @throws {BytesError}
 */
export function folderTree(root: string, files: OpenFiles, options: FolderTreeOptions = {}): TreeEntry[] {
  const { xattrs = 'read', maxEntries = MAX_ENTRIES, signal } = options;
  const found: { readonly path: string; readonly octets: Uint8Array; readonly stats: BigIntStats }[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted();
    for (const path of folder === '' ? ['', ...namesIn(root, '')] : namesIn(root, folder)) {
      const stats = onHost(join(root, path), () => lstatSync(join(root, path), { bigint: true }));
      if (found.length >= maxEntries)
        throw new DiskError('limit', `${root}: expected at most ${maxEntries} entries, found more`);
      found.push({ path, octets: utf8(path), stats });
      if (path !== '' && stats.isDirectory()) folders.push(path);
    }
  }
  // Hosts list a folder in any order.
  found.sort((a, b) => compareBytes(a.octets, b.octets));
  const attributes = xattrs === 'read' ? readXattrs(found.map(({ path }) => join(root, path))) : undefined;
  const firstNames = new Map<string, string>();
  return found.map(({ path, stats }, i): TreeEntry => {
    const inode = inodeOf(root, path, stats, files, attributes?.[i] ?? []);
    if (stats.nlink < 2n || inode.kind === 'directory') return inode;
    const key = `${stats.dev}:${stats.ino}`;
    const target = firstNames.get(key);
    if (target !== undefined) return { kind: 'hardlink', path, target };
    firstNames.set(key, path);
    return inode;
  });
}

function namesIn(root: string, folder: string): string[] {
  const names = onHost(join(root, folder), () => readdirSync(join(root, folder), { encoding: 'buffer' }));
  return names.map((octets) => {
    const path = `${folder === '' ? '' : `${folder}/`}${textOf(octets, join(root, folder))}`;
    return memberPath(path);
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

function inodeOf(
  root: string,
  path: string,
  stats: BigIntStats,
  files: OpenFiles,
  xattrs: readonly Xattr[],
): TreeInode {
  const place = join(root, path);
  const kind = fileKindOf(Number(stats.mode));
  if (kind === undefined)
    throw new DiskError('tree_invalid', `${place}: expected a file, directory, link, device, pipe or socket`);
  // File systems here know no time before 1970.
  const time = stats.mtimeNs < 0n ? 0n : stats.mtimeNs;
  const nanoseconds = Number(time % 1_000_000_000n);
  const attributes: TreeAttributes = {
    path,
    mode: Number(stats.mode) & PERMISSION_MASK,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeSeconds: Number(time / 1_000_000_000n),
    ...(nanoseconds === 0 ? {} : { mtimeNanoseconds: nanoseconds }),
    ...(xattrs.length === 0 ? {} : { xattrs }),
  };
  switch (kind) {
    case 'file': {
      const { dev: device, ino: inode, mtimeNs } = stats;
      const content = files.source({ path: place, sizeBytes: Number(stats.size), device, inode, mtimeNs });
      return { kind, ...attributes, content };
    }
    case 'symlink': {
      const target = onHost(place, () => readlinkSync(place, { encoding: 'buffer' }));
      return { kind, ...attributes, target: textOf(target, place) };
    }
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
    throw hostError(path, cause);
  }
}
