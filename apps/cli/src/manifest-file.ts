// SPDX-License-Identifier: Apache-2.0
import { type Manifest, readUnverifiedManifest, verifyManifest } from '@vouchsafe/manifest';
import { decodeCertificates, PkiError, parsePem } from '@vouchsafe/pki';
import { readSmallFile } from './parse.ts';
import type { Session } from './session.ts';

/** A manifest, and whether a key vouches for it. */
export interface ReadManifest {
  readonly path: string;
  readonly manifest: Manifest;
  readonly isVerified: boolean;
}

/**
 * Reads a signed manifest. Without a key it is shown all the same, with a note that nobody vouches for it.
 * @throws {ManifestError} 'signature_missing' when none of the keys signed it, and for what is no manifest. @throws {PkiError}
 */
export function readManifestFile(session: Session, path: string, keyPaths: readonly string[]): ReadManifest {
  const bytes = readSmallFile(path);
  if (keyPaths.length === 0) {
    session.note(`${path}: the signature was not checked; name the key with --key FILE`);
    return { path, manifest: readUnverifiedManifest(bytes), isVerified: false };
  }
  const { manifest } = verifyManifest(bytes, keyPaths.map(publicKeyFrom));
  return { path, manifest, isVerified: true };
}

/** SPKI of a PEM file with a public key or a certificate, as keys generate has both. */
function publicKeyFrom(path: string): Uint8Array {
  const bytes = readSmallFile(path);
  const text = String.fromCharCode(...bytes.subarray(0, 64 * 1024));
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    const block = text.includes('-----BEGIN') ? parsePem(text).find(({ label }) => label === 'PUBLIC KEY') : undefined;
    if (block !== undefined) return block.bytes;
    throw new PkiError('key_invalid', `${path}: expected a public key or certificate in PEM, as manifest.pub is`);
  }
  const [certificate] = decodeCertificates(bytes);
  if (certificate === undefined) throw new PkiError('key_invalid', `${path}: expected a certificate, found none`);
  return certificate.publicKey.bytes;
}
