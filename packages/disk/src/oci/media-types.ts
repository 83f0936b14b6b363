// SPDX-License-Identifier: Apache-2.0
import type { Compression } from '../compression/detect.ts';

/** OCI image specification 1.1, "Media Types"; Docker's before it: Distribution, "Image Manifest Version 2, Schema 2". */
const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const CONFIGS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];

const LAYERS: Readonly<Record<string, Compression | 'none'>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'none',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

export const isIndexType = (type: string): boolean => INDEXES.includes(type);
export const isManifestType = (type: string): boolean => MANIFESTS.includes(type);
export const isConfigType = (type: string): boolean => CONFIGS.includes(type);

/** How a layer of that type is compressed; undefined for what is no layer that can be read. */
export function layerCompression(type: string): Compression | 'none' | undefined {
  return Object.hasOwn(LAYERS, type) ? LAYERS[type] : undefined;
}
