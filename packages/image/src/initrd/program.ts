// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { TreeEntry } from '@vouchsafe/disk';
import { ElfFile } from '../elf/elf-file.ts';
import { ImageError } from '../error.ts';

/** Where Debian and its like keep libraries on x86-64; the loader itself lies in /lib64. */
const LIBRARY_FOLDERS = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64', 'lib', 'usr/lib'];

/** A file by its place in a tree and its place on this machine. */
export interface PlacedFile {
  readonly path: string;
  readonly from: string;
  readonly mode: number;
}

/**
 * A program with all the shared libraries that it needs, found in a root folder by their names in the files themselves.
 * @param root `/`, or an unpacked system.
 * @throws {ImageError} 'library_missing', 'elf_malformed'. @throws {BytesError}
 */
export function programWithLibraries(root: string, program: string, path: string): PlacedFile[] {
  const placed = new Map<string, PlacedFile>();
  const add = (from: string, to: string): void => {
    if (placed.has(to)) return;
    placed.set(to, { path: to, from, mode: 0o755 });
    using source = FileSource.open(from);
    const elf = new ElfFile(source);
    const loader = elf.section('.interp');
    if (loader !== undefined) {
      const name = Buffer.from(loader).toString('latin1').replace(/\0.*$/s, '').slice(1);
      add(realpathSync(join(root, name)), name);
    }
    for (const library of elf.neededLibraries()) {
      const folder = LIBRARY_FOLDERS.find((candidate) => existsSync(join(root, candidate, library)));
      if (folder === undefined) {
        throw new ImageError(
          'library_missing',
          `${from}: needs ${library}, which is in none of ${LIBRARY_FOLDERS.join(', ')}`,
        );
      }
      // The loader has its own place; everything else goes where the default search finds it.
      add(
        realpathSync(join(root, folder, library)),
        library.startsWith('ld-linux') ? `lib64/${library}` : `lib/x86_64-linux-gnu/${library}`,
      );
    }
  };
  add(realpathSync(program), path);
  return [...placed.values()];
}

const IMMUTABLE = { uid: 0, gid: 0, mtimeSeconds: 0 };

/** The files as entries of a tree, with the folders they lie in; names that are given twice count once. */
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
    if (!statSync(from).isFile()) continue;
    add({ kind: 'file', path, mode, ...IMMUTABLE, content: memorySource(readFileSync(from), from) });
  }
  for (const entry of more) if (entry.path !== '') add(entry);
  return [...entries.values()];
}
