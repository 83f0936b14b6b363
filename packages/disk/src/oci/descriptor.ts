// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { type IncrementalDigest, startDigest } from '@vouchsafe/crypto';
import { DiskError } from '../error.ts';
import type { OciJson } from './json.ts';

/** What stands for some bytes. OCI image specification 1.1, "Content Descriptors". */
export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: OciDigest;
  readonly sizeBytes: number;
  readonly platform: OciPlatform | undefined;
  /** `org.opencontainers.image.ref.name`, which names an image of a layout. */
  readonly refName: string | undefined;
}

/** `ALGORITHM:HEX`, as it was written. */
export interface OciDigest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
}

/** OCI image specification 1.1, "Image Index", platform; Go's words for both. */
export interface OciPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** An image of a layout. OCI image specification 1.1, "Image Layout". */
export interface OciBlobs {
  /** What to call it in messages. */
  readonly label: string;
  /** A file of the layout by its path; undefined when it is not there. */
  open(path: string): ByteSource | undefined;
}

export function parseDescriptor(json: OciJson): OciDescriptor {
  const platform = json.optional('platform');
  return {
    mediaType: json.member('mediaType').text(),
    digest: parseDigest(json.member('digest')),
    sizeBytes: json.member('size').count(),
    platform:
      platform === undefined
        ? undefined
        : {
            os: platform.member('os').text(),
            architecture: platform.member('architecture').text(),
            variant: platform.optional('variant')?.text(),
          },
    refName: json.optional('annotations')?.optional('org.opencontainers.image.ref.name')?.text(),
  };
}

const HEX_DIGITS = { sha256: 64, sha512: 128 } as const;

/**
 * The digest also becomes a path, so that nothing but the form of the specification is taken ("Digests").
 * @throws {DiskError} 'oci_malformed', 'oci_unsupported'.
 */
export function parseDigest(json: OciJson): OciDigest {
  const text = json.text();
  const [, algorithm = '', hex = ''] =
    /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text) ?? json.refuse('expected a digest, ALGORITHM:HEX');
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new DiskError(
      'oci_unsupported',
      `expected a digest of sha256 or sha512, found ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  if (hex.length !== HEX_DIGITS[algorithm] || !/^[0-9a-f]+$/.test(hex))
    return json.refuse(`expected ${HEX_DIGITS[algorithm]} lower-case hexadecimal digits`);
  return { algorithm, hex };
}

export function digestText({ algorithm, hex }: OciDigest): string {
  return `${algorithm}:${hex}`;
}

/**
 * The file of a descriptor, whose size is right; whether its digest is, must be seen while it is read.
 * @throws {DiskError} 'not_found', 'digest_mismatch'.
 */
export function openBlob(blobs: OciBlobs, { digest, sizeBytes }: OciDescriptor): ByteSource {
  const path = `blobs/${digest.algorithm}/${digest.hex}`;
  const source = blobs.open(path);
  if (source === undefined) {
    throw new DiskError(
      'not_found',
      `${blobs.label}: ${path}: expected this blob of the image, found none; is the layout whole?`,
    );
  }
  if (source.size !== sizeBytes) {
    throw new DiskError(
      'digest_mismatch',
      `${blobs.label}: ${path}: expected ${sizeBytes} octets, found ${source.size}`,
    );
  }
  return source;
}

/** A digest that is being made of what is read. */
export class DigestCheck {
  readonly #expected: OciDigest;
  readonly #running: IncrementalDigest;

  constructor(expected: OciDigest) {
    this.#expected = expected;
    this.#running = startDigest(expected.algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#running.update(bytes);
  }

  /** @throws {DiskError} 'digest_mismatch' */
  finish(label: string): void {
    const found = toHex(this.#running.digest());
    if (found === this.#expected.hex) return;
    throw new DiskError(
      'digest_mismatch',
      `${label}: expected ${digestText(this.#expected)}, found ${found}; it was changed or damaged`,
    );
  }
}

/** All of a small blob, checked. @throws {DiskError} 'digest_mismatch'. @throws {BytesError} */
export function readBlob(source: ByteSource, digest: OciDigest): Uint8Array {
  const bytes = readBytes(source, 0, source.size);
  const check = new DigestCheck(digest);
  check.update(bytes);
  check.finish(source.label);
  return bytes;
}
