// SPDX-License-Identifier: Apache-2.0
import { type Finding, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource, readBytes } from '@vouchsafe/bytes';
import {
  checkExtension,
  checkPortable,
  type ExtensionClass,
  extensionReleasePath,
  formatReleaseFile,
  GrowingTree,
  parseReleaseFile,
  RELAXED_NAME_XATTR,
  type TreeEntry,
} from '@vouchsafe/disk';

export interface ExtensionRequest {
  readonly extensionClass: ExtensionClass;
  /** Of the image. */
  readonly name: string;
  readonly entries: readonly TreeEntry[];
  /** The fields of an extension-release that is to be made; the tree has one unless given. */
  readonly release?: ReadonlyMap<string, string> | undefined;
  /** Mark the file so that it is taken under another name of the image too. */
  readonly isNameRelaxed?: boolean;
  readonly timestampSeconds: number;
}

/** A tree that is ready to become an image, and what is wrong with it. */
export interface CheckedTree {
  readonly entries: readonly TreeEntry[];
  readonly findings: readonly Finding[];
}

const MAX_RELEASE_BYTES = 64 * 1024;

/**
 * The tree of an extension, with its extension-release made where that was asked for, and checked by the rules of those who
 * take it.
 * @throws {DiskError} 'release_malformed'; 'path_duplicate' when there is one already. @throws {BytesError}
 */
export function extensionTree(request: ExtensionRequest): CheckedTree {
  const { extensionClass, name, release, isNameRelaxed = false, timestampSeconds } = request;
  const path = extensionReleasePath(extensionClass, name);
  const tree = new GrowingTree({ impliedMtimeSeconds: timestampSeconds });
  for (const entry of request.entries) tree.add(relaxed(entry, path, isNameRelaxed));
  if (release !== undefined) {
    const content = memorySource(utf8(formatReleaseFile(release)), path);
    const file = { path, kind: 'file', mode: 0o644, uid: 0, gid: 0, mtimeSeconds: timestampSeconds, content } as const;
    tree.add(relaxed(file, path, isNameRelaxed));
  }
  const entries = [...tree.entries()];
  const fields = releaseIn(entries, path, path);
  return { entries, findings: checkExtension({ extensionClass, name, entries, release: fields }) };
}

/** The tree of a portable service, checked by the rules of portablectl. @throws {DiskError} 'release_malformed'. */
export function portableTree(name: string, entries: readonly TreeEntry[]): CheckedTree {
  const release =
    releaseIn(entries, 'usr/lib/os-release', 'os-release') ?? releaseIn(entries, 'etc/os-release', 'os-release');
  const prefixes = (release?.get('PORTABLE_PREFIXES') ?? '').split(/\s+/).filter((word) => word !== '');
  return { entries, findings: checkPortable(name, entries, prefixes) };
}

function relaxed(entry: TreeEntry, path: string, isNameRelaxed: boolean): TreeEntry {
  if (!isNameRelaxed || entry.path !== path || entry.kind === 'hardlink') return entry;
  const others = (entry.xattrs ?? []).filter(({ name }) => name !== RELAXED_NAME_XATTR);
  return { ...entry, xattrs: [...others, { name: RELAXED_NAME_XATTR, value: utf8('0') }] };
}

/** The fields of a release file in a tree; undefined where there is none. */
export function releaseIn(
  entries: readonly TreeEntry[],
  path: string,
  label: string,
): ReadonlyMap<string, string> | undefined {
  const entry = entries.find((candidate) => candidate.path === path);
  return entry?.kind === 'file' ? parseRelease(entry.content, label) : undefined;
}

function parseRelease(content: ByteSource, label: string): ReadonlyMap<string, string> | undefined {
  if (content.size > MAX_RELEASE_BYTES) return undefined;
  try {
    return parseReleaseFile(parseUtf8(readBytes(content, 0, content.size)), label);
  } catch (error) {
    if (error instanceof TextError) return undefined;
    throw error;
  }
}
