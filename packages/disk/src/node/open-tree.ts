// SPDX-License-Identifier: Apache-2.0
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import { compressionOf, isReadCompression } from '../compression/detect.ts';
import { debianPackageControl, debianPackageData, isArArchive } from '../deb/package-data.ts';
import { DiskError } from '../error.ts';
import { tarTree } from '../tar/tar-tree.ts';
import type { TreeEntry } from '../tree/file-tree.ts';
import { decompressed } from './decompress.ts';
import { folderTree } from './folder-tree.ts';
import { OpenFiles } from './open-files.ts';
import { archiveBlobs, folderBlobs, openOci } from './open-oci.ts';
import { type OpenTree, type OpenTreeOptions, openTreeOf, workOf } from './open-tree-options.ts';
import { SpoolFile } from './spool-file.ts';

export type TreeInputKind = 'folder' | 'tar' | 'oci' | 'deb';

/**
 * A folder, a tar archive (plain, or in gzip, zstd, xz or LZ4), an OCI image layout (a folder or a tar archive of one) or a
 * Debian package as a tree. Nothing is extracted and no rights are needed: owners and modes are those of the archive, and
 * contents stay where they are, or decompressed in files without a name, so that memory does not depend on their size.
 * @param kind by what is there, unless given.
 * @throws {DiskError} as `folderTree`, `tarTree`, `selectOciImage`, `applyOciLayer` and `decompressed`. @throws {BytesError}
 */
export async function openTree(path: string, options: OpenTreeOptions = {}, kind?: TreeInputKind): Promise<OpenTree> {
  const stack = new DisposableStack();
  try {
    return isFolderAt(path)
      ? await openFolder(path, options, kind ?? treeInputKind(path), stack)
      : await openFile(path, options, kind, stack);
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/**
 * What a Debian package says of itself, as a tree: `control`, `md5sums`, scripts. Nothing of it is run.
 * @throws {DiskError} as `openTree`. @throws {BytesError}
 */
export async function openDebianControl(path: string, options: OpenTreeOptions = {}): Promise<OpenTree> {
  const stack = new DisposableStack();
  try {
    const file = stack.use(FileSource.open(path));
    return openTreeOf(tarTree(await plain(debianPackageControl(file), options, stack), options), stack);
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

async function openFolder(
  path: string,
  options: OpenTreeOptions,
  kind: TreeInputKind,
  stack: DisposableStack,
): Promise<OpenTree> {
  // The folder itself may be named by a link; links inside it are not followed.
  if (kind === 'folder') return openTreeOf(folderTree(realPath(path), stack.use(new OpenFiles()), options), stack);
  if (kind === 'oci') return openOci(folderBlobs(path, stack), options, stack);
  const [code, what] =
    kind === 'tar' ? (['tar_malformed', 'tar archive'] as const) : (['deb_malformed', 'Debian package'] as const);
  throw new DiskError(code, `${path}: expected a ${what}, found a folder`);
}

async function openFile(
  path: string,
  options: OpenTreeOptions,
  kind: TreeInputKind | undefined,
  stack: DisposableStack,
): Promise<OpenTree> {
  if (kind === 'folder') throw new DiskError('tree_invalid', `${path}: expected a folder, found a file`);
  const file = stack.use(FileSource.open(path));
  const isPackage = kind === 'deb' || (kind === undefined && isArArchive(file));
  const archive = await plain(isPackage ? debianPackageData(file) : file, options, stack);
  const entries = tarTree(archive, options);
  const isOci = kind === 'oci' || (kind === undefined && !isPackage && isOciTree(entries));
  return isOci ? openOci(archiveBlobs(path, entries), options, stack) : openTreeOf(entries, stack);
}

/**
 * What a path is, as far as a look at it tells: a folder with the two files of an OCI image layout is one; a file counts as
 * 'tar', until it is read. @throws {BytesError}
 */
export function treeInputKind(path: string): 'folder' | 'oci' | 'tar' {
  if (!isFolderAt(path)) return 'tar';
  const has = (name: string): boolean => statSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true;
  return has('oci-layout') && has('index.json') ? 'oci' : 'folder';
}

function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw hostError(path, cause);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw hostError(path, cause);
  }
}

const isOciTree = (entries: readonly TreeEntry[]): boolean =>
  ['oci-layout', 'index.json'].every((name) => entries.some(({ path, kind }) => path === name && kind === 'file'));

/** The source itself, or what it decompresses to. */
async function plain(source: ByteSource, options: OpenTreeOptions, stack: DisposableStack): Promise<ByteSource> {
  const compression = compressionOf(source);
  if (compression === undefined) return source;
  if (!isReadCompression(compression)) {
    throw new DiskError(
      'compression_unsupported',
      `${source.label}: expected a tar archive, plain or in gzip, zstd, xz or LZ4, found ${compression}`,
    );
  }
  const spool = stack.use(SpoolFile.create(source.label, options.spoolFolder));
  for await (const piece of decompressed(source, compression, workOf(options))) spool.append(piece);
  return spool.source();
}
