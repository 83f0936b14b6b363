// SPDX-License-Identifier: Apache-2.0
import { type CopiedFiles, GrowingTree, type TreeEntry } from '@vouchsafe/disk';
import { ImageError } from '../error.ts';

export interface CopiedTreeOptions {
  /** Of folders that nobody listed, in seconds since 1970. */
  readonly timestampSeconds: number;
  /** Everything belongs to root. */
  readonly isAllRoot: boolean;
}

/**
 * A tree made of parts of another, each where it is to be: what comes later lies over what was there. Folders that are only
 * named are made.
 * @param source lists what is at a path of the source, the path itself first, as paths from there on: '' alone is a file.
 * @throws {DiskError} as GrowingTree; {ImageError} 'path_invalid' where there is nothing at a path.
 */
export function copiedTree(
  copies: readonly CopiedFiles[],
  folders: readonly string[],
  source: (from: string) => readonly TreeEntry[],
  { timestampSeconds, isAllRoot }: CopiedTreeOptions,
): readonly TreeEntry[] {
  const tree = new GrowingTree({ impliedMtimeSeconds: timestampSeconds });
  for (const { from, to } of copies) {
    const entries = source(from);
    if (entries.length === 0)
      throw new ImageError('path_invalid', `CopyFiles=${from}: nothing is there; correct the path`);
    tree.startLayer();
    const target = partsOf(to);
    for (const entry of entries) tree.add(placed(entry, target));
  }
  for (const folder of folders) {
    const path = partsOf(folder);
    if ([...tree.entries()].some((entry) => entry.path === path)) continue;
    tree.add({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: timestampSeconds });
  }
  const entries = [...tree.entries()];
  return isAllRoot
    ? entries.map((entry) => (entry.kind === 'hardlink' ? entry : { ...entry, uid: 0, gid: 0 }))
    : entries;
}

const partsOf = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');

function placed(entry: TreeEntry, target: string): TreeEntry {
  const at = (path: string): string => [target, path].filter((part) => part !== '').join('/');
  if (entry.kind === 'hardlink') return { kind: 'hardlink', path: at(entry.path), target: at(entry.target) };
  return { ...entry, path: at(entry.path) };
}

/** What is at a path of a tree and below it, as paths from there on. */
export function subtree(entries: readonly TreeEntry[], from: string): readonly TreeEntry[] {
  const folder = partsOf(from);
  if (folder === '') return entries;
  const prefix = `${folder}/`;
  const outside = new Map(entries.map((entry) => [entry.path, entry]));
  return entries.flatMap((entry): TreeEntry[] => {
    const isBelow = entry.path.startsWith(prefix);
    if (!isBelow && entry.path !== folder) return [];
    const path = isBelow ? entry.path.slice(prefix.length) : '';
    if (entry.kind !== 'hardlink') return [{ ...entry, path }];
    if (entry.target.startsWith(prefix)) return [{ kind: 'hardlink', path, target: entry.target.slice(prefix.length) }];
    const linked = outside.get(entry.target);
    return linked === undefined ? [] : [{ ...linked, path }];
  });
}
