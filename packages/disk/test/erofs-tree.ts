// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import type { TreeAttributes, TreeEntry, Xattr } from '@vouchsafe/disk';
import { bytesOf, patternSource, TIMESTAMP } from './support.ts';

export const at = (path: string, overrides: Partial<TreeAttributes> = {}): TreeAttributes => ({
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: TIMESTAMP,
  ...overrides,
});
export const file = (path: string, size: number, overrides: Partial<TreeAttributes> = {}): TreeEntry => ({
  kind: 'file',
  content: patternSource(size, path.length + 3),
  ...at(path, overrides),
});
export const directory = (path: string, overrides: Partial<TreeAttributes> = {}): TreeEntry => ({
  kind: 'directory',
  ...at(path, { mode: 0o755, ...overrides }),
});

/** All kinds of inodes, and sizes around each border of the layout. */
export const TREE: readonly TreeEntry[] = [
  directory(''),
  directory('etc', { mode: 0o700, uid: 5 }),
  file('etc/empty', 0),
  file('etc/one', 1),
  // Around what fits behind an inode of 32 octets, and of 64.
  ...[4031, 4032, 4063, 4064, 4065, 4095, 4096, 4097, 8191, 12288, 1_000_001].map((size) => file(`etc/${size}`, size)),
  ...[4031, 4032, 4033].map((size) => file(`etc/late-${size}`, size, { mtimeSeconds: 5, mtimeNanoseconds: 7 })),
  file('etc/large-ids', 10, { uid: 70000, gid: 4_000_000_000 }),
  file('etc/xattrs', 100, {
    xattrs: [
      { name: 'user.b', value: bytesOf('two') },
      { name: 'user.a', value: new Uint8Array(0) },
      { name: 'security.capability', value: new Uint8Array(20).fill(1) },
      { name: 'trusted.overlay.opaque', value: bytesOf('y') },
      { name: 'system.posix_acl_access', value: new Uint8Array(28) },
    ],
  }),
  file('etc/many-xattrs', 4000, { xattrs: [{ name: 'user.large', value: new Uint8Array(60_000) }] }),
  { kind: 'symlink', target: 'etc/one', ...at('link', { mode: 0o777 }) },
  { kind: 'symlink', target: 'x/'.repeat(1500), ...at('long-link', { mode: 0o777 }) },
  { kind: 'hardlink', path: 'etc/hard', target: 'etc/4096' },
  { kind: 'hardlink', path: 'hard', target: 'etc/4096' },
  { kind: 'fifo', ...at('pipe') },
  { kind: 'socket', ...at('socket') },
  directory('many', { mode: 0o1777 }),
  ...Array.from({ length: 1500 }, (_, i) => file(`many/a file with number ${i}`, (i * 37) % 5000)),
  directory('!before the dot'),
  directory('ü'),
];

export const contentOf = (source: ByteSource): Uint8Array => readBytes(source, 0, source.size);

/** A tree in a form to compare: sorted by path, contents as digests. */
export function summaryOf(tree: Iterable<TreeEntry>): Record<string, unknown> {
  const entries = [...tree].map((entry) => [entry.path, shown(entry)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shown(entry: TreeEntry): Record<string, unknown> {
  if (entry.kind === 'hardlink') return { kind: entry.kind, target: entry.target };
  const { path: _, xattrs = [], mtimeNanoseconds = 0, ...rest } = entry;
  const content = 'content' in rest ? contentDigest(rest.content) : undefined;
  return { ...rest, mtimeNanoseconds, content, xattrs: shownXattrs(xattrs) };
}

const shownXattrs = (xattrs: readonly Xattr[]): string[] =>
  xattrs.map(({ name, value }) => `${name}=${toHex(value)}`).sort();

function contentDigest(content: ByteSource): string {
  const bytes = contentOf(content);
  return `${bytes.length} ${toHex(digest('sha256', bytes))}`;
}

/** A folder of this machine, by name: kind, mode, owner, size, digest or target. Times and attributes are left out. */
export function folderSummary(root: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const visit = (path: string): void => {
    const place = join(root, path);
    const stats = lstatSync(place);
    found[path] = {
      mode: stats.mode & 0o7777,
      owner: [stats.uid, stats.gid],
      seconds: Math.floor(stats.mtimeMs / 1000),
      ...(stats.isFile() && { content: `${stats.size} ${toHex(digest('sha256', readFileSync(place)))}` }),
      ...(stats.isSymbolicLink() && { target: readlinkSync(place) }),
    };
    if (stats.isDirectory()) for (const name of readdirSync(place)) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return found;
}

/** A tree in the form of `folderSummary`. */
export function likeFolder(tree: Iterable<TreeEntry>): Record<string, unknown> {
  const found = new Map<string, unknown>();
  for (const entry of tree) {
    if (entry.kind === 'hardlink') {
      found.set(entry.path, found.get(entry.target));
      continue;
    }
    found.set(entry.path, {
      mode: entry.mode,
      owner: [entry.uid, entry.gid],
      seconds: entry.mtimeSeconds,
      ...(entry.kind === 'file' && { content: contentDigest(entry.content) }),
      ...(entry.kind === 'symlink' && { target: entry.target }),
    });
  }
  return Object.fromEntries(found);
}
