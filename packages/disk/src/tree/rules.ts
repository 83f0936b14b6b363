// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';
import { type FileKind, PERMISSION_MASK } from '../file-mode.ts';
import type { FileTree, TreeEntry, TreeInode, Xattr } from './file-tree.ts';
import { compileGlob } from './glob.ts';

/** What a rule applies to: what fits all that is given. */
export interface TreeRuleMatch {
  /** Patterns of paths, as `compileGlob` takes them; one of them must match one of a file's names. */
  readonly paths: readonly string[];
  readonly kinds?: readonly FileKind[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface TreeRuleChange {
  readonly uid?: number;
  readonly gid?: number;
  /** All permission bits; a symbolic link, whose bits mean nothing, is left as it is. */
  readonly mode?: number;
  /** Bits to set and to clear, after `mode`. */
  readonly addMode?: number;
  readonly removeMode?: number;
  /** Values by name; null removes one. */
  readonly xattrs?: Readonly<Record<string, Uint8Array | null>>;
  /** Since 1970. */
  readonly mtimeSeconds?: number;
}

/** One change of a tree. Rules are applied one after the other. */
export interface TreeRule {
  readonly match: TreeRuleMatch;
  /** Takes the names that match out, and all below them. */
  readonly remove?: boolean;
  readonly set?: TreeRuleChange;
  /** Without it, a rule that matches nothing is an error: it is a name that was mistyped, or a file that has gone. */
  readonly isOptional?: boolean;
}

interface Item {
  inode: TreeInode;
  /** Paths of the inode; the first is its own. */
  names: string[];
}

/**
 * The tree with the rules applied. A file that loses the name it was listed under goes on under its next.
 * @throws {DiskError} 'rule_unmatched', 'options_invalid' for a pattern or a number out of range.
 */
export function applyTreeRules(tree: FileTree, rules: readonly TreeRule[]): TreeEntry[] {
  let items = itemsOf(tree);
  for (const [i, rule] of rules.entries()) {
    requireRule(rule, i);
    const { matches, count } = matching(items, rule.match);
    if (count === 0 && rule.isOptional !== true) {
      throw new DiskError(
        'rule_unmatched',
        `rule ${i + 1}, ${rule.match.paths.join(' ')}: expected something that it applies to, found nothing; correct it, or make it optional`,
      );
    }
    if (rule.set !== undefined) for (const [item] of matches) item.inode = changed(item.inode, rule.set);
    if (rule.remove === true) items = without(items, new Set([...matches.values()].flat()));
  }
  return items.flatMap(({ inode, names: [first = '', ...others] }): TreeEntry[] => [
    { ...inode, path: first },
    ...others.map((path): TreeEntry => ({ kind: 'hardlink', path, target: first })),
  ]);
}

/** Nothing newer than that: what was made on the way is dated by the build, and would differ from one to the next. */
export function clampTimes(tree: FileTree, latestSeconds: number): TreeEntry[] {
  return Array.from(tree, (entry) => {
    if (entry.kind === 'hardlink' || entry.mtimeSeconds < latestSeconds) return entry;
    return { ...entry, mtimeSeconds: latestSeconds, mtimeNanoseconds: 0 };
  });
}

function itemsOf(tree: FileTree): Item[] {
  const items = new Map<string, Item>();
  const links: { readonly path: string; readonly target: string }[] = [];
  for (const entry of tree) {
    if (entry.kind === 'hardlink') links.push(entry);
    else items.set(entry.path, { inode: entry, names: [entry.path] });
  }
  for (const { path, target } of links) {
    const item = items.get(target);
    if (item === undefined)
      throw new DiskError('tree_invalid', `tree: ${path}: expected a hard link to a file, found ${target}`);
    item.names.push(path);
  }
  return [...items.values()];
}

function matching(items: readonly Item[], { paths, kinds, uid, gid }: TreeRuleMatch) {
  const patterns = paths.map(compileGlob);
  const matches = new Map<Item, string[]>();
  for (const item of items) {
    const { inode } = item;
    if (kinds !== undefined && !kinds.includes(inode.kind)) continue;
    if ((uid !== undefined && inode.uid !== uid) || (gid !== undefined && inode.gid !== gid)) continue;
    const names = item.names.filter((name) => patterns.some((matches) => matches(name)));
    if (names.length > 0) matches.set(item, names);
  }
  return { matches, count: matches.size };
}

function changed(inode: TreeInode, change: TreeRuleChange): TreeInode {
  const { uid = inode.uid, gid = inode.gid, addMode = 0, removeMode = 0, mtimeSeconds } = change;
  const mode = inode.kind === 'symlink' ? inode.mode : ((change.mode ?? inode.mode) | addMode) & ~removeMode;
  const time = mtimeSeconds === undefined ? {} : { mtimeSeconds, mtimeNanoseconds: 0 };
  if (change.xattrs === undefined) return { ...inode, uid, gid, mode, ...time };
  const xattrs = new Map((inode.xattrs ?? []).map((xattr): [string, Xattr] => [xattr.name, xattr]));
  for (const [name, value] of Object.entries(change.xattrs)) {
    if (value === null) xattrs.delete(name);
    else xattrs.set(name, { name, value });
  }
  return { ...inode, uid, gid, mode, ...time, xattrs: [...xattrs.values()] };
}

/** @param removed paths; what lies below them goes too. */
function without(items: readonly Item[], removed: ReadonlySet<string>): Item[] {
  if (removed.has(''))
    throw new DiskError('options_invalid', 'a rule removes the root: expected patterns of what is in it');
  const isGone = (path: string): boolean => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (removed.has(path.slice(0, end))) return true;
    return false;
  };
  return items.flatMap((item) => {
    const names = item.names.filter((name) => !isGone(name));
    return names.length === 0 ? [] : [{ inode: item.inode, names }];
  });
}

function requireRule({ match, remove, set }: TreeRule, index: number): void {
  const refuse = (problem: string): never => {
    throw new DiskError('options_invalid', `rule ${index + 1}: ${problem}`);
  };
  if (match.paths.length === 0) refuse('expected a pattern, found none');
  if ((remove === true) === (set !== undefined)) refuse('expected either something to set, or to remove');
  const inRange = (what: string, value: number | undefined, max: number): void => {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0 && value <= max)) return;
    refuse(`expected ${what} from 0 to ${max}, found ${value}`);
  };
  for (const what of ['mode', 'addMode', 'removeMode'] as const) inRange(what, set?.[what], PERMISSION_MASK);
  for (const what of ['uid', 'gid'] as const) inRange(what, set?.[what], 0xfffffffe);
  inRange('mtimeSeconds', set?.mtimeSeconds, Number.MAX_SAFE_INTEGER);
  for (const name of Object.keys(set?.xattrs ?? {})) {
    if (!/^(user|trusted|security|system)\.[^\0]+$/.test(name)) {
      refuse(`expected an extended attribute of user, trusted, security or system, found ${JSON.stringify(name)}`);
    }
  }
}
