// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import type { TreeEntry } from '@vouchsafe/disk';
import { ImageError } from '../error.ts';
import { parseApkInstalled } from './apk.ts';
import { parseDpkgList, parseDpkgStatus, parseMd5sums } from './dpkg.ts';
import { type InstalledPackage, type InstalledPackages, MAX_PACKAGE_FILES, MAX_PACKAGES } from './installed-package.ts';
import { decodeRpmHeader } from './rpm/rpm-header.ts';
import { readRpmSqlite } from './rpm/rpm-sqlite.ts';

const DPKG = 'var/lib/dpkg';
const APK = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];
/** Fedora and openSUSE have it below /usr, with a link from the older place. */
const RPM = ['usr/lib/sysimage/rpm', 'var/lib/rpm'];
const UNREAD_RPM = {
  Packages: "rpm's database in Berkeley DB, of rpm before 4.16, is not read; rpmdb --rebuilddb makes the present form",
  'Packages.db': 'rpm’s own database (ndb) is not read; the form that is read is SQLite (%_db_backend sqlite)',
} as const;

const MAX_DATABASE_BYTES = 512 * 1024 * 1024;

/**
 * What the package managers of a tree say is installed in it: dpkg, also in the form of images without one (status.d), apk
 * and rpm. A database that cannot be read is named, and nothing is said of what is in it.
 * @throws {BytesError}
 */
export function readInstalledPackages(entries: readonly TreeEntry[]): InstalledPackages {
  const files = new Map<string, ByteSource>();
  for (const entry of entries) if (entry.kind === 'file') files.set(entry.path, entry.content);
  for (const entry of entries) {
    const content = entry.kind === 'hardlink' ? files.get(entry.target) : undefined;
    if (content !== undefined) files.set(entry.path, content);
  }
  const unread: { path: string; reason: string }[] = [];
  const packages: InstalledPackage[] = [];
  const add = (path: string, read: (content: ByteSource) => readonly InstalledPackage[]): void => {
    const content = files.get(path);
    if (content === undefined) return;
    try {
      packages.push(...limited(read(content), packages, path));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      unread.push({ path, reason: error.message });
    }
  };
  add(`${DPKG}/status`, (content) => parseDpkgStatus(textOf(content, 'status'), 'dpkg status', listsOf(files)));
  for (const path of [...files.keys()].filter(isStatusPart).sort()) {
    const list = files.get(`${path}.md5sums`);
    add(path, (content) => {
      const paths = list === undefined ? [] : parseMd5sums(textOf(list, 'md5sums'));
      return parseDpkgStatus(textOf(content, path), path, () => paths);
    });
  }
  for (const path of APK) add(path, (content) => parseApkInstalled(textOf(content, path), path));
  for (const folder of RPM) {
    add(`${folder}/rpmdb.sqlite`, (content) => {
      const log = files.get(`${folder}/rpmdb.sqlite-wal`);
      if (log !== undefined && log.size > 0) {
        const message = 'its newest changes are in a write-ahead log beside it; rpmdb --rebuilddb brings them in';
        throw new ImageError('packages_malformed', message);
      }
      const headers = readRpmSqlite(bytesOf(content, 'rpmdb.sqlite'), 'rpmdb.sqlite');
      return headers.flatMap((header, i) => decodeRpmHeader(header, `rpmdb.sqlite, package ${i + 1}`) ?? []);
    });
    for (const [name, reason] of Object.entries(UNREAD_RPM)) {
      const path = `${folder}/${name}`;
      if (files.has(path)) unread.push({ path, reason });
    }
  }
  return { packages: packages.sort(byName), unread };
}

const isStatusPart = (path: string): boolean =>
  path.startsWith(`${DPKG}/status.d/`) && !path.endsWith('.md5sums') && !path.endsWith('.preinst');

/** `info/NAME.list`, or `info/NAME:ARCHITECTURE.list` of what can be there for several. */
function listsOf(files: ReadonlyMap<string, ByteSource>) {
  let left = MAX_PACKAGE_FILES;
  return (name: string, architecture: string | undefined): string[] => {
    const list = files.get(`${DPKG}/info/${name}.list`) ?? files.get(`${DPKG}/info/${name}:${architecture}.list`);
    const paths = list === undefined ? [] : parseDpkgList(textOf(list, `${name}.list`));
    left -= paths.length;
    if (left < 0) throw new ImageError('limit', `dpkg: more than ${MAX_PACKAGE_FILES} files of packages`);
    return paths;
  };
}

function limited(
  found: readonly InstalledPackage[],
  known: readonly InstalledPackage[],
  path: string,
): readonly InstalledPackage[] {
  if (found.length + known.length <= MAX_PACKAGES) return found;
  throw new ImageError('limit', `${path}: more than ${MAX_PACKAGES} packages`);
}

function bytesOf(content: ByteSource, label: string): Uint8Array {
  if (content.size <= MAX_DATABASE_BYTES) return readBytes(content, 0, content.size);
  throw new ImageError('limit', `${label}: expected at most ${MAX_DATABASE_BYTES} octets, found ${content.size}`);
}

function textOf(content: ByteSource, label: string): string {
  try {
    return parseUtf8(bytesOf(content, label));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new ImageError('packages_malformed', `${label}: expected text in UTF-8`, { cause });
  }
}

const KEYS = ['manager', 'name', 'architecture', 'version'] as const;

function byName(a: InstalledPackage, b: InstalledPackage): number {
  for (const key of KEYS) {
    const [x, y] = [a[key] ?? '', b[key] ?? ''];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
