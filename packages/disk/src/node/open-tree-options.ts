// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { OciPlatform } from '../oci/descriptor.ts';
import type { TarLimits } from '../tar/read.ts';
import type { TreeEntry } from '../tree/file-tree.ts';
import type { DecompressionLimits } from './decompress.ts';

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

/** With what `stack` keeps open. */
export function openTreeOf(entries: readonly TreeEntry[], stack: DisposableStack, imageDigest?: string): OpenTree {
  return {
    entries,
    ...(imageDigest === undefined ? {} : { imageDigest }),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

/** What decompression is told of all options. */
export function workOf({ decompression, signal, onProgress }: OpenTreeOptions): DecompressionLimits & LongWork {
  return { ...decompression, signal, onProgress };
}
