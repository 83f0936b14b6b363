// SPDX-License-Identifier: Apache-2.0
import { MANIFEST_PAYLOAD_TYPE, parseManifest, readUnverifiedManifest } from '@vouchsafe/manifest';
import type { ArtefactHead, ManifestDescription, PemDescription } from './description.ts';

type Head = Omit<ArtefactHead, 'kind'>;

/** What the blocks are called, and nothing of what they hold: among them are private keys. */
export function describePem(bytes: Uint8Array, head: Head): PemDescription {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)]
    .slice(0, 1000)
    .map(([, name]) => name as string);
  const { sha256: _withheld, ...shown } = head;
  return { ...shown, kind: 'pem', blocks };
}

/** @throws {ManifestError} */
export function describeManifest(bytes: Uint8Array, head: Head): ManifestDescription {
  const isSigned = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MANIFEST_PAYLOAD_TYPE);
  const manifest = isSigned ? readUnverifiedManifest(bytes) : parseManifest(bytes);
  return { ...head, kind: 'manifest', isSigned, manifest };
}
