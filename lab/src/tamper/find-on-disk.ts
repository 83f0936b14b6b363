// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import {
  type ErofsEntry,
  type ErofsVolume,
  findErofsEntry,
  listErofs,
  openErofs,
  openErofsFile,
  readErofsLink,
} from '@vouchsafe/disk';
import { LabError } from '../error.ts';

/** Enough to tell files apart that begin alike. */
const NEEDLE_BYTES = 512;
const CHUNK_BYTES = 1024 * 1024;
const MAX_LINKS = 16;

/** Where in an EROFS image a file's content stands as it is; undefined when it is compressed. */
function offsetOf(image: ByteSource, content: ByteSource): number | undefined {
  const needle = readBytes(content, 0, Math.min(NEEDLE_BYTES, content.size));
  for (let start = 0; start < image.size; start += CHUNK_BYTES) {
    const size = Math.min(CHUNK_BYTES + NEEDLE_BYTES, image.size - start);
    const at = Buffer.from(readBytes(image, start, size)).indexOf(needle);
    if (at >= 0) return start + at;
  }
  return undefined;
}

/**
 * Where the program that the kernel starts first stands in a root: it is read in every boot. Where that is compressed, where
 * the file system begins.
 */
export function initOffset(image: ByteSource): number {
  const volume = openErofs(image);
  const entry = findInit(volume);
  const at = entry === undefined ? undefined : offsetOf(image, openErofsFile(volume, entry.inode));
  return at ?? EROFS_SUPERBLOCK_OFFSET;
}

/** Linux, fs/erofs/erofs_fs.h. */
const EROFS_SUPERBLOCK_OFFSET = 1024;

function findInit(volume: ErofsVolume): ErofsEntry | undefined {
  for (const path of ['sbin/init', 'lib/systemd/systemd', 'usr/lib/systemd/systemd']) {
    const found = followed(volume, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The file at a path, by way of symbolic links anywhere on it; undefined when there is none. */
function followed(volume: ErofsVolume, path: string): ErofsEntry | undefined {
  let parts = path.split('/');
  for (let links = 0; links < MAX_LINKS; links++) {
    const known = new Map([...listErofs(volume)].map((entry) => [entry.path, entry]));
    const at = parts.findIndex((_, i) => known.get(parts.slice(0, i + 1).join('/'))?.inode.kind === 'symlink');
    if (at < 0) {
      const entry = known.get(parts.join('/'));
      return entry?.inode.kind === 'file' ? entry : undefined;
    }
    const target = readErofsLink(volume, findErofsEntry(volume, parts.slice(0, at + 1).join('/')).inode);
    const base = target.startsWith('/') ? [] : parts.slice(0, at);
    parts = normal([...base, ...target.split('/'), ...parts.slice(at + 1)]);
  }
  return undefined;
}

function normal(parts: readonly string[]): string[] {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return kept;
}

/** A file that a boot does not read, with its place. */
export interface UnreadFile {
  /** From the root, with a leading slash. */
  readonly path: string;
  readonly offset: number;
}

/** Blocks around a file may be read with it. */
const MIN_UNREAD_BYTES = 64 * 1024;
const MAX_UNREAD = 2;

/** @throws {LabError} 'tamper_unfit' when there is none that is not compressed. */
export function unreadFiles(image: ByteSource, label: string): readonly [UnreadFile, ...UnreadFile[]] {
  const volume = openErofs(image);
  const found: UnreadFile[] = [];
  for (const { path, inode } of listErofs(volume)) {
    if (inode.kind !== 'file' || inode.sizeBytes < MIN_UNREAD_BYTES || !/^(usr\/)?share\//.test(path)) continue;
    const at = offsetOf(image, openErofsFile(volume, inode));
    if (at !== undefined) found.push({ path: `/${path}`, offset: at + MIN_UNREAD_BYTES / 2 });
    if (found.length === MAX_UNREAD) break;
  }
  const [first, ...others] = found;
  if (first !== undefined) return [first, ...others];
  const message = `${label}: expected a file of ${MIN_UNREAD_BYTES} octets or more under /usr/share, not compressed, found none`;
  throw new LabError('tamper_unfit', message);
}
