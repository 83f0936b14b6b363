// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import type { TreeEntry, TreeInode } from '@vouchsafe/disk';
import { isPe } from '@vouchsafe/pe';
import { sha256Of } from '../inspect/sha256-of.ts';
import { diffPrograms } from './diff-programs.ts';
import type { Differences } from './difference.ts';

/** Files above this are compared, and not digested for the answer. */
const MAX_DIGESTED_BYTES = 256 * 1024 * 1024;

/** Files, one by one: what is on one side only, and what of the others differs. */
export function diffTrees(
  before: Iterable<TreeEntry>,
  after: Iterable<TreeEntry>,
  path: readonly string[],
  differences: Differences,
): void {
  const earlier = new Map<string, TreeEntry>();
  for (const entry of before) earlier.set(entry.path, entry);
  for (const entry of after) {
    const here = [...path, entry.path === '' ? '/' : entry.path];
    const other = earlier.get(entry.path);
    earlier.delete(entry.path);
    if (other === undefined) differences.added(here, nameOf(entry));
    else diffEntries(other, entry, here, differences);
  }
  for (const entry of earlier.values()) differences.removed([...path, entry.path], nameOf(entry));
}

function nameOf(entry: TreeEntry): string {
  switch (entry.kind) {
    case 'file':
      return `file of ${entry.content.size} octets`;
    case 'symlink':
      return `link to ${entry.target}`;
    case 'hardlink':
      return `another name of ${entry.target}`;
    default:
      return entry.kind;
  }
}

function diffEntries(before: TreeEntry, after: TreeEntry, path: readonly string[], differences: Differences): void {
  if (before.kind !== after.kind || before.kind === 'hardlink' || after.kind === 'hardlink') {
    differences.compare(path, 'kind', nameOf(before), nameOf(after));
    return;
  }
  const compare = (field: string, of: (inode: TreeInode) => string | number): void =>
    differences.compare(path, field, String(of(before)), String(of(after)));
  compare('mode', ({ mode }) => `0${mode.toString(8)}`);
  compare('owner', ({ uid, gid }) => `${uid}:${gid}`);
  compare(
    'time',
    ({ mtimeSeconds, mtimeNanoseconds = 0 }) => `${mtimeSeconds}.${String(mtimeNanoseconds).padStart(9, '0')}`,
  );
  compare('xattrs', xattrText);
  if (before.kind === 'symlink' && after.kind === 'symlink')
    differences.compare(path, 'target', before.target, after.target);
  if ('device' in before && 'device' in after) compare('device', deviceText);
  if (before.kind === 'file' && after.kind === 'file') diffContents(before.content, after.content, path, differences);
}

function deviceText(entry: TreeInode): string {
  return 'device' in entry ? `${entry.device.major}:${entry.device.minor}` : '';
}

/** Sorted, and values as digests where they are long. */
function xattrText({ xattrs = [] }: TreeInode): string {
  const texts = xattrs.map(({ name, value }) => {
    return `${name}=${value.length <= 64 ? toHex(value) : `sha256 ${toHex(digest('sha256', value))}`}`;
  });
  return texts.toSorted().join(' ');
}

/** Contents of files; of programs what they consist of. */
export function diffContents(
  before: ByteSource,
  after: ByteSource,
  path: readonly string[],
  differences: Differences,
): void {
  if (areEqual(before, after)) return;
  if (isPe(before) && isPe(after)) {
    diffPrograms(before, after, path, differences);
    return;
  }
  differences.compare(path, 'content', contentText(before), contentText(after));
}

function contentText(source: ByteSource): string {
  const size = `${source.size} octets`;
  return source.size > MAX_DIGESTED_BYTES ? `other ${size}` : `${size}, sha256 ${sha256Of(source)}`;
}

const CHUNK_BYTES = 1024 * 1024;

/** Whether two sources hold the same octets; reading stops at the first that differ. @throws {BytesError} */
export function areEqual(before: ByteSource, after: ByteSource): boolean {
  if (before.size !== after.size) return false;
  for (let at = 0; at < before.size; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, before.size - at);
    if (!bytesEqual(readBytes(before, at, length), readBytes(after, at, length))) return false;
  }
  return true;
}
