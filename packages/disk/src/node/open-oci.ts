// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { compressionOf } from '../compression/detect.ts';
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
import type { TreeEntry } from '../tree/file-tree.ts';
import { GrowingTree } from '../tree/growing-tree.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES, decompressed } from './decompress.ts';
import { type OpenTree, type OpenTreeOptions, openTreeOf, workOf } from './open-tree-options.ts';
import { SpoolFile } from './spool-file.ts';

/** The files of a layout that is a folder, closed with `stack`. */
export function folderBlobs(path: string, stack: DisposableStack): OciBlobs {
  return {
    label: path,
    open(name) {
      const at = join(path, name);
      if (statSync(at, { throwIfNoEntry: false }) === undefined) return undefined;
      return stack.use(FileSource.open(at));
    },
  };
}

/** The files of a layout that is an archive. */
export function archiveBlobs(label: string, entries: readonly TreeEntry[]): OciBlobs {
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

/** An image of a layout as a tree. */
export async function openOci(blobs: OciBlobs, options: OpenTreeOptions, stack: DisposableStack): Promise<OpenTree> {
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
