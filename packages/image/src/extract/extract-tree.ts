// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CancelSignal } from '@vouchsafe/base';
import { type ByteSink, BytesError } from '@vouchsafe/bytes';
import { descriptorSink, hostError } from '@vouchsafe/bytes/node';
import { copySource, type TreeAttributes, type TreeEntry } from '@vouchsafe/disk';
import { ImageError } from '../error.ts';

export interface ExtractOptions {
  /** Octets of files that are written at most: an image of a few octets can say that it holds exabytes. */
  readonly maxBytes: number;
  /** Give files their owners and set-id bits, which takes the rights of root. */
  readonly keepsOwners: boolean;
  readonly signal?: CancelSignal | undefined;
}

/** What was written, and what was not. */
export interface Extracted {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
  /** Devices, pipes and sockets, which are not made. */
  readonly skipped: readonly string[];
  /** Files with extended attributes, which are not set. */
  readonly withXattrs: number;
}

type Of<K extends TreeEntry['kind']> = Extract<TreeEntry, { readonly kind: K }>;

/** Entries that are skipped and named; more are only counted by their absence. */
const MAX_NAMED = 1000;

/**
 * Writes files into a folder that is empty or not there yet. Nothing is written outside it: all folders are made first,
 * files are made and never opened where something is, and links come last, when nothing more is written through a name.
 * @throws {ImageError} 'path_invalid' for a name that leads elsewhere, 'limit'; 'output_not_empty'.
 * @throws {DiskError} from the image. @throws {BytesError} what the host refuses, or two entries of one path.
 */
export function extractTree(entries: Iterable<TreeEntry>, folder: string, options: ExtractOptions): Extracted {
  makeEmptyFolder(folder);
  const directories: TreeAttributes[] = [];
  const links: Of<'symlink' | 'hardlink'>[] = [];
  const skipped: string[] = [];
  const made = new Set<string>();
  let bytes = 0;
  let files = 0;
  let withXattrs = 0;
  for (const entry of entries) {
    options.signal?.throwIfAborted();
    requireInside(entry.path);
    if ('xattrs' in entry && (entry.xattrs?.length ?? 0) > 0) withXattrs++;
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    makeParents(folder, parent, made);
    if (entry.kind === 'directory') {
      makeDirectory(folder, entry.path, made);
      directories.push(entry);
    } else if (entry.kind === 'file') {
      bytes += entry.content.size;
      if (bytes > options.maxBytes) {
        throw new ImageError(
          'limit',
          `${entry.path}: expected at most ${options.maxBytes} octets in all; raise the limit if you trust the image`,
        );
      }
      writeFile(join(folder, entry.path), entry, options);
      files++;
    } else if (entry.kind === 'symlink' || entry.kind === 'hardlink') links.push(entry);
    else if (skipped.length < MAX_NAMED) skipped.push(entry.path);
  }
  for (const link of links) makeLink(folder, link, options);
  // From the deepest up: setting a time of what is inside changes that of the folder.
  for (const directory of directories.toReversed()) finishDirectory(join(folder, directory.path), directory, options);
  return { files, directories: directories.length, links: links.length, bytes, skipped, withXattrs };
}

function makeEmptyFolder(folder: string): void {
  const stats = onHost(folder, () => lstatSync(folder, { throwIfNoEntry: false }));
  if (stats === undefined) {
    onHost(folder, () => mkdirSync(folder, { mode: 0o700 }));
    return;
  }
  if (!stats.isDirectory() || onHost(folder, () => readdirSync(folder)).length > 0) {
    throw new ImageError('output_not_empty', `${folder}: expected an empty folder, or none; choose another name`);
  }
}

/** Readers of file systems refuse most of these; archives hold what they like. */
function requireInside(path: string): void {
  const parts = path.split('/');
  if (path === '' || (!path.includes('\0') && parts.every((part) => part !== '' && part !== '.' && part !== '..')))
    return;
  throw new ImageError(
    'path_invalid',
    `expected a path inside the folder, found ${JSON.stringify(path.slice(0, 200))}; nothing more was written`,
  );
}

/** Archives may leave out folders. */
function makeParents(folder: string, path: string, made: Set<string>): void {
  if (path === '' || made.has(path)) return;
  makeParents(folder, path.slice(0, Math.max(0, path.lastIndexOf('/'))), made);
  makeDirectory(folder, path, made);
}

function makeDirectory(folder: string, path: string, made: Set<string>): void {
  if (path === '' || made.has(path)) return;
  onHost(path, () => mkdirSync(join(folder, path), { mode: 0o700 }));
  made.add(path);
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function writeFile(at: string, entry: Of<'file'>, { keepsOwners, signal }: ExtractOptions): void {
  const fd = onHost(at, () => openSync(at, NEW_FILE, 0o600));
  try {
    onHost(at, () => ftruncateSync(fd, entry.content.size));
    copySource(entry.content, sparseSink(descriptorSink(fd, at)), 0, signal);
    onHost(at, () => {
      if (keepsOwners) fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, modeOf(entry, keepsOwners));
      futimesSync(fd, entry.mtimeSeconds, entry.mtimeSeconds);
    });
  } finally {
    closeSync(fd);
  }
}

/** The file has its size already: zeros need not be written. */
function sparseSink(sink: ByteSink): ByteSink {
  const write = (offset: number, bytes: Uint8Array): void => {
    if (bytes.some((octet) => octet !== 0)) sink.write(offset, bytes);
  };
  return { label: sink.label, write };
}

/** Set-id bits without their owner would hand the rights of whoever extracts to everybody. */
function modeOf({ mode }: { readonly mode: number }, keepsOwners: boolean): number {
  return mode & (keepsOwners ? 0o7777 : 0o777);
}

function makeLink(folder: string, link: Of<'symlink' | 'hardlink'>, options: ExtractOptions): void {
  const at = join(folder, link.path);
  if (link.kind === 'hardlink') {
    requireInside(link.target);
    // What it links to is a file that was written here: links to links come from nowhere else.
    onHost(at, () => {
      if (lstatSync(join(folder, link.target)).isFile()) linkSync(join(folder, link.target), at);
    });
    return;
  }
  onHost(at, () => {
    symlinkSync(link.target, at);
    if (options.keepsOwners) lchownSync(at, link.uid, link.gid);
    lutimesSync(at, link.mtimeSeconds, link.mtimeSeconds);
  });
}

function finishDirectory(at: string, directory: TreeAttributes, { keepsOwners }: ExtractOptions): void {
  onHost(at, () => {
    if (keepsOwners) lchownSync(at, directory.uid, directory.gid);
    chmodSync(at, modeOf(directory, keepsOwners));
    utimesSync(at, directory.mtimeSeconds, directory.mtimeSeconds);
  });
}

function onHost<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof BytesError) throw cause;
    throw hostError(path, cause);
  }
}
