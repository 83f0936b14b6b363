// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import type { OciBlobs } from '@vouchsafe/disk';

/** An OCI image layout in memory, that may be as wrong as a test needs it. */
export class MadeLayout {
  readonly files = new Map<string, Uint8Array>([['oci-layout', utf8('{"imageLayoutVersion":"1.0.0"}')]]);

  /** Stores bytes under their digest. @returns their descriptor. */
  put(mediaType: string, bytes: Uint8Array): Descriptor {
    const hex = toHex(digest('sha256', bytes));
    this.files.set(`blobs/sha256/${hex}`, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  putJson(mediaType: string, value: unknown): Descriptor {
    return this.put(mediaType, utf8(JSON.stringify(value)));
  }

  index(value: unknown): this {
    this.files.set('index.json', utf8(JSON.stringify(value)));
    return this;
  }

  blobs(): OciBlobs {
    return {
      label: 'layout',
      open: (path) => {
        const bytes = this.files.get(path);
        return bytes === undefined ? undefined : memorySource(bytes, path);
      },
    };
  }

  write(folder: string): string {
    mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
    for (const [path, bytes] of this.files) writeFileSync(join(folder, path), bytes);
    return folder;
  }
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: unknown;
  readonly annotations?: Record<string, string>;
}

export const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  tar: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

export interface MadeImage {
  readonly layers: readonly Uint8Array[];
  readonly architecture?: string;
  /** Members of the manifest and of the configuration that are to be other than sound. */
  readonly manifest?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
}

/** Adds an image whose layers are in gzip. @returns the descriptor of its manifest. */
export function putImage(
  layout: MadeLayout,
  { layers, architecture = 'amd64', manifest, config }: MadeImage,
): Descriptor {
  const diffIds = layers.map((layer) => `sha256:${toHex(digest('sha256', layer))}`);
  const configDescriptor = layout.putJson(TYPES.config, {
    os: 'linux',
    architecture,
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...config,
  });
  return layout.putJson(TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: configDescriptor,
    layers: layers.map((layer) => layout.put(TYPES.gzip, new Uint8Array(gzipSync(layer)))),
    ...manifest,
  });
}

/** A layout with that one image, named "latest". */
export function layoutOf(image: MadeImage): MadeLayout {
  const layout = new MadeLayout();
  const descriptor = putImage(layout, image);
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  return layout.index({ schemaVersion: 2, manifests: [{ ...descriptor, annotations }] });
}
