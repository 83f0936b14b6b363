// SPDX-License-Identifier: Apache-2.0
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { TreeEntry } from '@vouchsafe/disk';
import { ElfFile } from '../elf/elf-file.ts';
import { ImageError } from '../error.ts';
import { resolveInRoot } from './resolve-in-root.ts';

/** Where Debian and its like keep libraries on x86-64; the loader itself lies in /lib64. */
const LIBRARY_FOLDERS = [
  ...['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64', 'lib', 'usr/lib'],
  // systemd's own, which its programs find by their run path.
  ...['usr/lib/x86_64-linux-gnu/systemd', 'usr/lib/systemd'],
];

/** A file by its place in a tree and its place on this machine. */
export interface PlacedFile {
  readonly path: string;
  readonly from: string;
  readonly mode: number;
}

/** A program's libraries, and theirs: far more than any has. */
const MAX_FILES = 1000;

/**
 * A program with all the shared libraries that it needs, found in a root folder by their names in the files themselves.
 * @param root `/`, or an unpacked system; links in it are followed as if it were `/`.
 * @param program its place on this machine.
 * @param path its place in the tree.
 * @throws {ImageError} 'library_missing', 'elf_malformed', 'path_invalid'. @throws {BytesError}
 */
export function programWithLibraries(root: string, program: string, path: string): PlacedFile[] {
  const placed = new Map<string, PlacedFile>([[path, { path, from: realpathSync(program), mode: 0o755 }]]);
  // A map gives what is added while it is gone through, so that depth costs no stack.
  for (const { from } of placed.values()) {
    for (const file of needsOf(root, from)) if (!placed.has(file.path)) placed.set(file.path, file);
    if (placed.size > MAX_FILES) {
      throw new ImageError('elf_malformed', `${program}: expected at most ${MAX_FILES} files of a program, found more`);
    }
  }
  return [...placed.values()];
}

/** The loader and the libraries that a file names itself. */
function needsOf(root: string, from: string): PlacedFile[] {
  using source = FileSource.open(from);
  const elf = new ElfFile(source);
  const loader = elf.section('.interp');
  const libraries = elf.neededLibraries().map((name) => findLibrary(root, from, name));
  return loader === undefined ? libraries : [findLoader(root, from, loader), ...libraries];
}

/** gABI 4.1, chapter 5, "Program Interpreter": a path name that ends with a NUL. */
function findLoader(root: string, from: string, section: Uint8Array): PlacedFile {
  const name = Buffer.from(section).toString('latin1').replace(/\0.*$/s, '');
  // It becomes a path of the tree as it stands.
  if (!/^(\/(?!\.\.?(\/|$))[\x21-\x2e\x30-\x7e]+)+$/.test(name)) {
    throw new ImageError(
      'path_invalid',
      `${from}: expected an absolute path of a loader without dots, found ${JSON.stringify(name.slice(0, 200))}`,
    );
  }
  const found = resolveInRoot(root, name);
  if (found === undefined)
    throw new ImageError('library_missing', `${from}: needs the loader ${name}, which ${root} does not have`);
  return { path: name.slice(1), from: found, mode: 0o755 };
}

function findLibrary(root: string, from: string, library: string): PlacedFile {
  // The loader takes a name with a slash for a path; no system library has one, and it would lead anywhere.
  if (library === '' || library === '.' || library === '..' || library.includes('/')) {
    throw new ImageError(
      'path_invalid',
      `${from}: expected the name of a library, found ${JSON.stringify(library.slice(0, 200))}`,
    );
  }
  for (const folder of LIBRARY_FOLDERS) {
    const found = resolveInRoot(root, `${folder}/${library}`);
    if (found === undefined) continue;
    // The loader has its own place; everything else goes where the default search finds it.
    const path = library.startsWith('ld-linux') ? `lib64/${library}` : `lib/x86_64-linux-gnu/${library}`;
    return { path, from: found, mode: 0o755 };
  }
  throw new ImageError(
    'library_missing',
    `${from}: needs ${library}, which is in none of ${LIBRARY_FOLDERS.join(', ')}`,
  );
}

const IMMUTABLE = { uid: 0, gid: 0, mtimeSeconds: 0 };

/**
 * The files as entries of a tree, with the folders they lie in; of a path that is given twice the last one counts.
 * @throws {ImageError} 'path_invalid' for what is no file.
 */
export function treeOf(files: readonly PlacedFile[], more: readonly TreeEntry[] = []): TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  const addFolders = (path: string): void => {
    if (entries.has(path)) return;
    if (path !== '') addFolders(path.includes('/') ? dirname(path) : '');
    entries.set(path, { kind: 'directory', path, mode: 0o755, ...IMMUTABLE });
  };
  const add = (entry: TreeEntry): void => {
    addFolders(entry.path.includes('/') ? dirname(entry.path) : '');
    entries.set(entry.path, entry);
  };
  for (const { path, from, mode } of files) {
    if (statSync(from, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new ImageError('path_invalid', `${from}: expected a file for ${path}, found none`);
    }
    add({ kind: 'file', path, mode, ...IMMUTABLE, content: memorySource(readFileSync(from), from) });
  }
  for (const entry of more) if (entry.path !== '') add(entry);
  return [...entries.values()];
}
