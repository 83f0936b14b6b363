// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import { compressionOf, isReadCompression } from '../compression/detect.ts';
import { debianPackageData, isArArchive } from '../deb/package-data.ts';
import { DiskError } from '../error.ts';
import { applyOciLayer } from '../oci/apply-layer.ts';
import {
  DigestCheck,
  digestText,
  type OciBlobs,
  type OciDigest,
  type OciPlatform,
  openBlob,
} from '../oci/descriptor.ts';
import { type OciLayer, selectOciImage } from '../oci/select-image.ts';
import type { TarLimits } from '../tar/read.ts';
import { tarTree } from '../tar/tar-tree.ts';
import type { TreeEntry } from '../tree/file-tree.ts';
import { GrowingTree } from '../tree/growing-tree.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES, type DecompressionLimits, decompressed } from './decompress.ts';
import { folderTree } from './folder-tree.ts';
import { OpenFiles } from './open-files.ts';
import { SpoolFile } from './spool-file.ts';

export interface OpenTreeOptions extends TarLimits, LongWork {
  /** What a path means that comes again in one archive or layer; 'refuse' unless given. */
  readonly duplicates?: 'refuse' | 'replace';
  /** Of directories that an archive does not list: since 1970; 0 unless given. */
  readonly impliedMtimeSeconds?: number;
  readonly decompression?: DecompressionLimits;
  /** Where what is decompressed is kept while the tree is open; the host's folder for temporary files unless given. */
  readonly spoolFolder?: string;
  /** Of a folder: 'read' unless given. */
  readonly xattrs?: 'read' | 'ignore';
  /** Of an OCI image: linux and amd64 unless given. */
  readonly platform?: OciPlatform;
  /** Of an OCI image layout with several images. */
  readonly reference?: string;
}

/** A tree whose contents can be read until it is closed. */
export interface OpenTree extends Disposable {
  readonly entries: readonly TreeEntry[];
  /** Of an OCI image: `ALGORITHM:HEX`, what registries call it by. */
  readonly imageDigest?: string;
}

export type TreeInputKind = 'folder' | 'tar' | 'oci' | 'deb';

/**
 * A folder, a tar archive (plain, or in gzip, zstd, xz or LZ4), an OCI image layout (a folder or a tar archive of one) or a
 * Debian package as a tree. Nothing is extracted and no rights are needed: owners and modes are those of the archive, and contents stay where they
 * are, or decompressed in files without a name, so that memory does not depend on their size.
 * @param kind as `treeInputKind` finds it, unless given.
 * @throws {DiskError} as `folderTree`, `tarTree`, `selectOciImage`, `applyOciLayer` and `decompressed`. @throws {BytesError}
 */
export async function openTree(path: string, options: OpenTreeOptions = {}, kind?: TreeInputKind): Promise<OpenTree> {
  const stack = new DisposableStack();
  try {
    const isFolder = isFolderAt(path);
    if (isFolder && (kind ?? treeInputKind(path)) === 'folder') {
      const files = stack.use(new OpenFiles());
      return openTreeOf(folderTree(path, files, options), stack);
    }
    if (isFolder && kind === 'tar')
      throw new DiskError('tar_malformed', `${path}: expected a tar archive, found a folder`);
    if (isFolder) return await openOci(folderBlobs(path, stack), options, stack);
    const file = stack.use(FileSource.open(path));
    if (kind === 'deb' || (kind === undefined && isArArchive(file))) {
      return openTreeOf(tarTree(await plain(debianPackageData(file), options, stack), options), stack);
    }
    const archive = await plain(file, options, stack);
    if (kind === 'folder') throw new DiskError('tree_invalid', `${path}: expected a folder, found a file`);
    const entries = tarTree(archive, options);
    const isOci = kind === 'oci' || (kind === undefined && isOciTree(entries));
    return isOci ? await openOci(archiveBlobs(path, entries), options, stack) : openTreeOf(entries, stack);
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/** What a path is, by what is there: an OCI image layout has its two files, a file may be any of the others. @throws {BytesError} */
export function treeInputKind(path: string): TreeInputKind {
  if (!isFolderAt(path)) return 'tar';
  const has = (name: string): boolean => statSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true;
  return has('oci-layout') && has('index.json') ? 'oci' : 'folder';
}

function openTreeOf(entries: readonly TreeEntry[], stack: DisposableStack, imageDigest?: string): OpenTree {
  return {
    entries,
    ...(imageDigest === undefined ? {} : { imageDigest }),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
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

function workOf({ decompression, signal, onProgress }: OpenTreeOptions): DecompressionLimits & LongWork {
  return { ...decompression, signal, onProgress };
}

function folderBlobs(path: string, stack: DisposableStack): OciBlobs {
  return {
    label: path,
    open(name) {
      const at = join(path, name);
      if (statSync(at, { throwIfNoEntry: false }) === undefined) return undefined;
      return stack.use(FileSource.open(at));
    },
  };
}

function archiveBlobs(label: string, entries: readonly TreeEntry[]): OciBlobs {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return {
    label,
    open(name) {
      const entry = byPath.get(name);
      const file = entry?.kind === 'hardlink' ? byPath.get(entry.target) : entry;
      return file?.kind === 'file' ? file.content : undefined;
    },
  };
}

const DEFAULT_PLATFORM: OciPlatform = { os: 'linux', architecture: 'amd64' };

async function openOci(blobs: OciBlobs, options: OpenTreeOptions, stack: DisposableStack): Promise<OpenTree> {
  const { platform = DEFAULT_PLATFORM, reference } = options;
  const image = selectOciImage(blobs, { platform, ...(reference === undefined ? {} : { reference }) });
  const tree = new GrowingTree(options);
  // What one archive may decompress to is what all layers together may.
  let left = options.decompression?.maxBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES;
  for (const layer of image.layers) {
    const decompression = { ...options.decompression, maxBytes: left };
    const archive = await openLayer(blobs, layer, { ...options, decompression }, stack);
    if (layer.compression !== 'none') left -= archive.size;
    applyOciLayer(tree, archive, options);
  }
  return openTreeOf([...tree.entries()], stack, image.manifestDigest);
}

const CHUNK_BYTES = 1024 * 1024;

/** A layer as a plain tar archive, of which both digests were seen to be right before anything in it is believed. */
async function openLayer(
  blobs: OciBlobs,
  layer: OciLayer,
  options: OpenTreeOptions,
  stack: DisposableStack,
): Promise<ByteSource> {
  const { descriptor, compression, diffId } = layer;
  const source = openBlob(blobs, descriptor);
  const label = `${blobs.label}: layer ${digestText(descriptor.digest)}`;
  await checkDigest(source, descriptor.digest, label, options);
  if (compression === 'none') {
    if (digestText(diffId) !== digestText(descriptor.digest)) {
      throw new DiskError(
        'digest_mismatch',
        `${label}: expected ${digestText(diffId)}, as the image's configuration says`,
      );
    }
    return source;
  }
  const found = compressionOf(source);
  if (found !== compression) {
    throw new DiskError(
      'oci_malformed',
      `${label}: expected ${compression}, as ${descriptor.mediaType} says, found ${found ?? 'something else'}`,
    );
  }
  const diffCheck = new DigestCheck(diffId);
  const spool = stack.use(SpoolFile.create(label, options.spoolFolder));
  for await (const piece of decompressed(source, compression, workOf(options))) {
    spool.append(piece);
    diffCheck.update(piece);
  }
  diffCheck.finish(label);
  return spool.source();
}

async function checkDigest(
  source: ByteSource,
  digest: OciDigest,
  label: string,
  { signal, onProgress }: LongWork,
): Promise<void> {
  const check = new DigestCheck(digest);
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < source.size; at += chunk.length) {
    signal?.throwIfAborted();
    const part = chunk.subarray(0, Math.min(chunk.length, source.size - at));
    source.read(at, part);
    check.update(part);
    await onProgress?.({ phase: 'checking the layer', done: at + part.length, total: source.size });
  }
  check.finish(label);
}
