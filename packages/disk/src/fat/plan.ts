// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { compareBytes } from '../tree/compare.ts';
import { longNameEntryCount, requireLongName } from './long-name.ts';
import { foldName, isShortName, ShortNames } from './short-name.ts';
import { DIRECTORY_ENTRY_BYTES, MAX_DIRECTORY_ENTRIES, MAX_FILE_BYTES } from './structures.ts';

/** A file or directory that a volume is to hold. Directories above it are made where they are not listed. */
export interface FatMember {
  /** Parts between slashes, no leading one. */
  readonly path: string;
  /** Absent for a directory. */
  readonly content?: ByteSource;
}

export interface FatNode {
  readonly name: string;
  readonly shortName: string;
  readonly path: string;
  readonly content: ByteSource | undefined;
  /** In the order of the directory: by the octets of their names. */
  readonly children: readonly FatNode[];
  /** Octets that the file or the directory takes. */
  readonly sizeBytes: number;
  /** 0 for an empty file. */
  firstCluster: number;
}

/** Files and directories that one volume may be given; far more than an ESP has. */
const MAX_MEMBERS = 1_000_000;
/** The parts of a path. Firmware and the tools that walk a volume recurse. */
const MAX_DEPTH = 64;

interface Draft {
  readonly name: string;
  readonly path: string;
  content: ByteSource | undefined;
  readonly children: Map<string, Draft>;
}

/**
 * The tree of a volume, with every short name.
 * @param hasLabel true when the root directory also holds the label.
 * @throws {DiskError} 'name_invalid', 'name_collision', 'limit'.
 */
export function planTree(members: Iterable<FatMember>, hasLabel: boolean): FatNode {
  const root: Draft = { name: '', path: '', content: undefined, children: new Map() };
  let count = 0;
  for (const member of members) {
    if (++count > MAX_MEMBERS) throw new DiskError('limit', `FAT: expected at most ${MAX_MEMBERS} entries`);
    addMember(root, member);
  }
  return finish(root, '', hasLabel ? 1 : 0);
}

function addMember(root: Draft, { path, content }: FatMember): void {
  if (content !== undefined && content.size > MAX_FILE_BYTES) {
    throw new DiskError('limit', `FAT: ${path}: expected at most ${MAX_FILE_BYTES} octets, found ${content.size}`);
  }
  const parts = path.split('/');
  if (parts.length > MAX_DEPTH) throw new DiskError('limit', `FAT: ${path}: expected at most ${MAX_DEPTH} parts`);
  let folder = root;
  for (const [i, name] of parts.entries()) {
    const isLast = i === parts.length - 1;
    requireLongName(name, path);
    const existing = folder.children.get(foldName(name));
    if (existing === undefined) {
      const draft: Draft = {
        name,
        path: parts.slice(0, i + 1).join('/'),
        content: isLast ? content : undefined,
        children: new Map(),
      };
      folder.children.set(foldName(name), draft);
      folder = draft;
      continue;
    }
    const isDirectory = existing.content === undefined && !(isLast && content !== undefined);
    if (existing.name !== name || !isDirectory) {
      throw new DiskError(
        'name_collision',
        `FAT: ${path}: expected a name unlike that of ${existing.path}; FAT does not tell upper from lower case`,
      );
    }
    folder = existing;
  }
}

function finish(draft: Draft, shortName: string, extraEntries: number): FatNode {
  const drafts = [...draft.children.values()]
    .map((child) => ({ child, octets: utf8(child.name) }))
    .sort((a, b) => compareBytes(a.octets, b.octets))
    .map(({ child }) => child);
  const shortNames = new ShortNames(drafts.map(({ name }) => name));
  // The recursion is as deep as a path has parts.
  const children = drafts.map((child) => finish(child, shortNames.for(child.name), 2));
  const entries = children.reduce((sum, { name }) => sum + entryCount(name), extraEntries);
  if (entries > MAX_DIRECTORY_ENTRIES) {
    throw new DiskError(
      'limit',
      `FAT: ${draft.path}: expected at most ${MAX_DIRECTORY_ENTRIES} directory entries, found ${entries}; split it`,
    );
  }
  return {
    name: draft.name,
    shortName,
    path: draft.path,
    content: draft.content,
    children,
    sizeBytes: draft.content === undefined ? entries * DIRECTORY_ENTRY_BYTES : draft.content.size,
    firstCluster: 0,
  };
}

/** A short entry, and those of a long name where the short one does not say it all. */
function entryCount(name: string): number {
  return 1 + (isShortName(name) ? 0 : longNameEntryCount(name));
}

/** The directories, the root first, then the files; each group depth first. The order of their clusters. */
export function inDiskOrder(root: FatNode): readonly FatNode[] {
  const all: FatNode[] = [];
  const visit = (node: FatNode): void => {
    all.push(node);
    for (const child of node.children) visit(child);
  };
  visit(root);
  const isDirectory = (node: FatNode): boolean => node.content === undefined;
  return [...all.filter(isDirectory), ...all.filter((node) => !isDirectory(node))];
}

/** Clusters that a node takes: one at least for a directory, none for an empty file. */
export function clustersOf(node: FatNode, clusterBytes: number): number {
  return Math.max(node.content === undefined ? 1 : 0, Math.ceil(node.sizeBytes / clusterBytes));
}
