// SPDX-License-Identifier: Apache-2.0
import type { Compression } from '../compression/detect.ts';
import { DiskError } from '../error.ts';
import {
  digestText,
  type OciBlobs,
  type OciDescriptor,
  type OciDigest,
  type OciPlatform,
  openBlob,
  parseDescriptor,
  parseDigest,
  readBlob,
} from './descriptor.ts';
import { MAX_OCI_JSON_BYTES, OciJson } from './json.ts';
import { isConfigType, isIndexType, isManifestType, layerCompression } from './media-types.ts';

export interface OciImageRequest {
  readonly platform: OciPlatform;
  /** The name that the layout gives the image; needed when it has several. */
  readonly reference?: string;
}

export interface OciLayer {
  readonly descriptor: OciDescriptor;
  readonly compression: Compression | 'none';
  /** Of the tar that it decompresses to. */
  readonly diffId: OciDigest;
}

/** An image whose manifest and configuration have the digests that its layout says. */
export interface OciImage {
  /** `ALGORITHM:HEX`, what registries call the image by. */
  readonly manifestDigest: string;
  readonly platform: OciPlatform;
  /** From the lowest up. */
  readonly layers: readonly OciLayer[];
}

/** Overlay file systems take some hundred. */
const MAX_LAYERS = 1000;
/** Images of a layout, over all indexes. */
const MAX_MANIFESTS = 10_000;
/** Indexes inside each other. */
const MAX_DEPTH = 4;

/**
 * Finds the image of a layout that is asked for, through indexes by platform, and checks it down to the layers, which are
 * checked as they are read. OCI image specification 1.1, "Image Layout", "Image Index", "Image Manifest", "Image
 * Configuration".
 * @throws {DiskError} 'oci_missing', 'oci_malformed', 'oci_unsupported', 'oci_ambiguous' when not exactly one image fits,
 * 'digest_mismatch', 'not_found' for a blob that is not there, 'limit'. @throws {BytesError}
 */
export function selectOciImage(blobs: OciBlobs, request: OciImageRequest): OciImage {
  const all = listImages(blobs);
  const named = request.reference === undefined ? all : all.filter(({ refName }) => refName === request.reference);
  const images = named.filter(
    ({ descriptor }) => descriptor.platform === undefined || fits(descriptor.platform, request.platform),
  );
  const found = new Map<string, OciImage>();
  for (const { descriptor } of images) {
    const image = readImage(blobs, descriptor);
    if (image !== undefined && fits(image.platform, request.platform)) found.set(image.manifestDigest, image);
  }
  const [first, ...others] = found.values();
  if (first !== undefined && others.length === 0) return first;
  const wanted = `${platformText(request.platform)}${request.reference === undefined ? '' : ` named ${request.reference}`}`;
  const there = all.map(
    ({ descriptor, refName }) =>
      `${refName ?? 'without a name'} (${descriptor.platform === undefined ? 'any platform' : platformText(descriptor.platform)})`,
  );
  throw new DiskError(
    'oci_ambiguous',
    `${blobs.label}: expected one image for ${wanted}, found ${found.size}; there ${there.length === 1 ? 'is' : 'are'}: ${[...new Set(there)].slice(0, 20).join(', ') || 'none'}`,
  );
}

interface NamedImage {
  readonly descriptor: OciDescriptor;
  /** Of the layout's own entry, which may be an index of several. */
  readonly refName: string | undefined;
}

function listImages(blobs: OciBlobs): NamedImage[] {
  requireLayout(blobs);
  const source = blobs.open('index.json');
  if (source === undefined)
    throw new DiskError('oci_missing', `${blobs.label}: expected index.json, found none; is this an OCI image layout?`);
  const images: NamedImage[] = [];
  const visit = (index: OciJson, depth: number, refName: string | undefined): void => {
    if (depth > MAX_DEPTH)
      throw new DiskError('limit', `${blobs.label}: expected at most ${MAX_DEPTH} indexes inside each other`);
    requireSchema(index);
    for (const item of index.member('manifests').list(MAX_MANIFESTS)) {
      const descriptor = parseDescriptor(item);
      const name = refName ?? descriptor.refName;
      if (isIndexType(descriptor.mediaType)) visit(readJson(blobs, descriptor), depth + 1, name);
      else if (isManifestType(descriptor.mediaType)) images.push({ descriptor, refName: name });
      // "Implementations … MUST NOT generate an error" for others: signatures, bills of material.
      if (images.length > MAX_MANIFESTS)
        throw new DiskError('limit', `${blobs.label}: expected at most ${MAX_MANIFESTS} images`);
    }
  };
  visit(OciJson.read(source), 1, undefined);
  return images;
}

function requireLayout(blobs: OciBlobs): void {
  const marker = blobs.open('oci-layout');
  if (marker === undefined) {
    throw new DiskError(
      'oci_missing',
      `${blobs.label}: expected the file oci-layout of an OCI image layout, found none; of an archive of docker save before version 25, make one with skopeo copy docker-archive:FILE oci:FOLDER`,
    );
  }
  const version = OciJson.read(marker).member('imageLayoutVersion').text();
  if (!/^1\.[0-9]+\.[0-9]+$/.test(version)) {
    throw new DiskError(
      'oci_unsupported',
      `${blobs.label}: expected an image layout of version 1, found ${JSON.stringify(version.slice(0, 40))}`,
    );
  }
}

function readJson(blobs: OciBlobs, descriptor: OciDescriptor): OciJson {
  if (descriptor.sizeBytes > MAX_OCI_JSON_BYTES) {
    throw new DiskError(
      'limit',
      `${blobs.label}: expected at most ${MAX_OCI_JSON_BYTES} octets of JSON, found ${descriptor.sizeBytes}`,
    );
  }
  const source = openBlob(blobs, descriptor);
  return OciJson.parse(readBlob(source, descriptor.digest), source.label);
}

function requireSchema(json: OciJson): void {
  const version = json.member('schemaVersion').count();
  if (version !== 2) json.refuse(`expected schemaVersion 2, found ${version}`);
}

/** @returns undefined for what has the form of an image and is none: an artefact, an attestation. */
function readImage(blobs: OciBlobs, descriptor: OciDescriptor): OciImage | undefined {
  const manifest = readJson(blobs, descriptor);
  requireSchema(manifest);
  const ownType = manifest.optional('mediaType')?.text();
  // A document that is two things at once is how one digest meant two images (CVE-2021-41190).
  if (ownType !== undefined && ownType !== descriptor.mediaType)
    manifest.refuse(`expected the media type ${descriptor.mediaType}, found ${ownType}`);
  if (manifest.optional('manifests') !== undefined) manifest.refuse('expected a manifest, found an index in it');
  const configDescriptor = parseDescriptor(manifest.member('config'));
  if (!isConfigType(configDescriptor.mediaType)) return undefined;
  const config = readJson(blobs, configDescriptor);
  const platform: OciPlatform = {
    os: config.member('os').text(),
    architecture: config.member('architecture').text(),
    variant: config.optional('variant')?.text(),
  };
  if (descriptor.platform !== undefined && !fits(platform, { ...descriptor.platform, variant: undefined })) {
    config.refuse(
      `expected the platform of the index, ${platformText(descriptor.platform)}, found ${platformText(platform)}`,
    );
  }
  const rootfs = config.member('rootfs');
  if (rootfs.member('type').text() !== 'layers') rootfs.refuse('expected the type "layers"');
  const diffIds = rootfs.member('diff_ids').list(MAX_LAYERS).map(parseDigest);
  const layers = manifest.member('layers').list(MAX_LAYERS).map(parseDescriptor);
  if (layers.length !== diffIds.length)
    manifest.refuse(`expected ${diffIds.length} layers, as the configuration says, found ${layers.length}`);
  return {
    manifestDigest: digestText(descriptor.digest),
    platform,
    layers: layers.map((layer, i) => layerOf(blobs, layer, diffIds[i] as OciDigest)),
  };
}

function layerOf(blobs: OciBlobs, descriptor: OciDescriptor, diffId: OciDigest): OciLayer {
  const compression = layerCompression(descriptor.mediaType);
  if (compression === undefined) {
    throw new DiskError(
      'oci_unsupported',
      `${blobs.label}: expected layers that are tar archives, plain or in gzip or zstd, found ${JSON.stringify(descriptor.mediaType.slice(0, 200))}`,
    );
  }
  return { descriptor, compression, diffId };
}

function fits(found: OciPlatform, wanted: OciPlatform): boolean {
  return (
    found.os === wanted.os &&
    found.architecture === wanted.architecture &&
    (wanted.variant === undefined || found.variant === undefined || found.variant === wanted.variant)
  );
}

function platformText({ os, architecture, variant }: OciPlatform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}
