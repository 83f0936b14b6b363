// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '@vouchsafe/pki';
import { encodeManifest, parseManifest } from '../format/parse.ts';
import { LIMITS, type Manifest } from '../format/schema.ts';
import { openEnvelope, payloadOf, signEnvelope } from './dsse.ts';

export const MANIFEST_PAYLOAD_TYPE = 'application/vnd.vouchsafe.manifest+json';

declare const verified: unique symbol;

/** A manifest that a trusted key has signed. Made by `verifyManifest` alone. */
export interface VerifiedManifest {
  readonly [verified]: true;
  readonly manifest: Manifest;
  /** The bytes that were signed; a digest of them names the manifest. */
  readonly bytes: Uint8Array;
  /** SPKI of the key that signed. */
  readonly signedBy: Uint8Array;
}

/**
 * A manifest in a signed DSSE envelope.
 * @throws {ManifestError} as `encodeManifest`, and 'options_invalid' for a key other than Ed25519. @throws {PkiError}
 */
export async function signManifest(manifest: Manifest, signer: Signer): Promise<Uint8Array> {
  return await signEnvelope(MANIFEST_PAYLOAD_TYPE, encodeManifest(manifest), signer);
}

/**
 * Reads an envelope: first the signature, then what was signed.
 * @param keys SPKI of the keys that are trusted to sign manifests.
 * @throws {ManifestError} 'signature_missing' when none of them signed it, 'envelope_malformed', 'payload_type', and as
 * `parseManifest`.
 */
export function verifyManifest(envelope: Uint8Array, keys: readonly Uint8Array[]): VerifiedManifest {
  const { payload, signedBy } = openEnvelope(envelope, MANIFEST_PAYLOAD_TYPE, keys, LIMITS.bytes);
  return { manifest: parseManifest(payload), bytes: payload, signedBy } as VerifiedManifest;
}

/**
 * Reads an envelope and does not look at its signatures: for showing what it says, never for trusting it.
 * @throws {ManifestError} 'envelope_malformed', 'payload_type', and as `parseManifest`.
 */
export function readUnverifiedManifest(envelope: Uint8Array): Manifest {
  return parseManifest(payloadOf(envelope, MANIFEST_PAYLOAD_TYPE, LIMITS.bytes));
}
