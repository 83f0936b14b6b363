// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { PERMISSION_MASK } from '../file-mode.ts';
import { compareBytes } from './compare.ts';

/** An extended attribute, as getxattr(2) shows it. */
export interface Xattr {
  /** With its prefix: security.capability, user.x. */
  readonly name: string;
  readonly value: Uint8Array;
}

export interface TreeAttributes {
  /** Parts between slashes, no leading one; '' for the root. */
  readonly path: string;
  /** Permission bits with set-user-id, set-group-id and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Since 1970. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds?: number;
  readonly xattrs?: readonly Xattr[];
}

/** A further name of a file that is in the tree under another. */
export interface HardLink {
  readonly kind: 'hardlink';
  readonly path: string;
  /** The path of an entry that is no directory and no hard link itself. */
  readonly target: string;
}

/** What a tree holds, by itself: nothing in it refers to the machine it was made on. */
export type TreeInode =
  | (TreeAttributes & { readonly kind: 'directory' | 'fifo' | 'socket' })
  | (TreeAttributes & { readonly kind: 'file'; readonly content: ByteSource })
  | (TreeAttributes & { readonly kind: 'symlink'; readonly target: string })
  | (TreeAttributes & {
      readonly kind: 'block' | 'character';
      readonly device: { readonly major: number; readonly minor: number };
    });

export type TreeEntry = TreeInode | HardLink;

/** A file system's content, in any order. A directory stands for itself: none is made because something lies in it. */
export type FileTree = Iterable<TreeEntry>;

/** An inode with its names. */
export interface TreeNode {
  readonly inode: TreeInode;
  /** Of a directory, by the octets of their names. */
  readonly children: readonly TreeChild[];
  /** The directory above; the root is its own. */
  readonly parent: TreeNode;
  /** Names that lead here: of a directory, without "." and "..". */
  readonly names: number;
}

export interface TreeChild {
  readonly name: Uint8Array;
  readonly node: TreeNode;
}

/** NAME_MAX and PATH_MAX of Linux, <linux/limits.h>. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4095;
const SLASH = 0x2f;
const DOT = 0x2e;
export const MAX_ENTRIES = 16_000_000;

interface Draft extends TreeNode {
  readonly children: { name: Uint8Array; node: Draft }[];
  parent: Draft;
  names: number;
}

/**
 * The entries as a tree.
 * @returns its root.
 * @throws {DiskError} 'tree_invalid' when they make none, 'name_invalid', 'options_invalid' for an attribute out of range,
 * 'limit'.
 */
export function buildTree(entries: FileTree): TreeNode {
  const drafts = new Map<string, Draft>();
  const links: HardLink[] = [];
  for (const entry of entries) {
    if (drafts.size + links.length >= MAX_ENTRIES)
      throw new DiskError('limit', `tree: more than ${MAX_ENTRIES} entries`);
    requirePath(entry.path);
    if (entry.kind === 'hardlink') {
      links.push(entry);
      continue;
    }
    requireAttributes(entry);
    if (drafts.has(entry.path)) throw invalid(entry.path, 'expected a path once, found it twice');
    const draft = { inode: entry, children: [], names: 0 } as unknown as Draft;
    draft.parent = draft;
    drafts.set(entry.path, draft);
  }
  const root = drafts.get('');
  if (root === undefined || root.inode.kind !== 'directory') throw invalid('', "expected the root directory, path ''");
  for (const [path, draft] of drafts) if (draft !== root) addName(drafts, path, draft);
  const linked = new Set<string>();
  for (const { path, target } of links) {
    const draft = drafts.get(target);
    if (draft === undefined || draft.inode.kind === 'directory') {
      throw invalid(path, `expected a hard link to a file of the tree, found ${JSON.stringify(target)}`);
    }
    if (drafts.has(path) || linked.has(path)) throw invalid(path, 'expected a path once, found it twice');
    linked.add(path);
    addName(drafts, path, draft);
  }
  root.names = 1;
  for (const { children } of drafts.values()) children.sort((a, b) => compareBytes(a.name, b.name));
  return root;
}

function addName(drafts: ReadonlyMap<string, Draft>, path: string, node: Draft): void {
  const slash = path.lastIndexOf('/');
  const parent = drafts.get(slash < 0 ? '' : path.slice(0, slash));
  if (parent === undefined || parent.inode.kind !== 'directory') {
    throw invalid(path, 'expected the directory that holds it, found none');
  }
  parent.children.push({ name: utf8(path.slice(slash + 1)), node });
  node.parent = parent;
  node.names++;
}

/**
 * Refuses a path that Linux cannot hold.
 * @throws {DiskError} 'name_invalid'
 */
export function requirePath(path: string): void {
  if (path === '' || isPlainPath(path)) return;
  const refuse = (problem: string): never => {
    throw new DiskError('name_invalid', `tree: ${path}: ${problem}`);
  };
  if (path.includes('\0') || !path.isWellFormed()) refuse('expected a path of whole characters without NUL');
  if (utf8(path).length > MAX_PATH_BYTES) refuse(`expected a path of at most ${MAX_PATH_BYTES} octets`);
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..')
      refuse('expected parts that are names, found an empty one, . or ..');
    if (utf8(name).length > MAX_NAME_BYTES) refuse(`expected names of at most ${MAX_NAME_BYTES} octets`);
  }
}

/** Most paths are ASCII and have nothing wrong: these are known with one look at each character. Of others this says nothing. */
export function isPlainPath(path: string): boolean {
  if (path.length > MAX_PATH_BYTES) return false;
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    const unit = i === path.length ? SLASH : path.charCodeAt(i);
    if (unit === 0 || unit > 0x7f) return false;
    if (unit !== SLASH) continue;
    const length = i - start;
    if (length === 0 || length > MAX_NAME_BYTES) return false;
    if (length <= 2 && path.charCodeAt(start) === DOT && path.charCodeAt(i - 1) === DOT) return false;
    start = i + 1;
  }
  return true;
}

function requireAttributes(inode: TreeInode): void {
  const { path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds = 0 } = inode;
  const requireIn = (what: string, value: number, max: number): void => {
    if (Number.isSafeInteger(value) && value >= 0 && value <= max) return;
    throw new DiskError('options_invalid', `tree: ${path}: expected ${what} from 0 to ${max}, found ${value}`);
  };
  requireIn('mode', mode, PERMISSION_MASK);
  requireIn('uid', uid, 0xfffffffe);
  requireIn('gid', gid, 0xfffffffe);
  requireIn('mtimeSeconds', mtimeSeconds, Number.MAX_SAFE_INTEGER);
  requireIn('mtimeNanoseconds', mtimeNanoseconds, 999_999_999);
  if ('device' in inode) {
    // Linux, include/linux/kdev_t.h: 12 bits of major and 20 of minor number.
    requireIn('major', inode.device.major, 0xfff);
    requireIn('minor', inode.device.minor, 0xfffff);
  }
  if (inode.kind === 'symlink') {
    const { target } = inode;
    const length = utf8(target).length;
    if (length === 0 || length > MAX_PATH_BYTES || target.includes('\0') || !target.isWellFormed()) {
      throw new DiskError('name_invalid', `tree: ${path}: expected a link target of 1 to ${MAX_PATH_BYTES} octets`);
    }
  }
}

function invalid(path: string, problem: string): DiskError {
  return new DiskError('tree_invalid', `tree: ${path === '' ? 'root' : path}: ${problem}`);
}
