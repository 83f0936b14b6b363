// SPDX-License-Identifier: Apache-2.0
import { isPointOnCurve } from '../ecdsa-digest.ts';
import { CryptoError } from '../error.ts';
import { BoundedKeyCache } from '../public-key-cache.ts';
import { decodeSpki, type KeyMaterial, keyAlgorithm, requireSpkiSize } from '../spki.ts';
import type { PublicKey } from '../types.ts';
import { latin1Digester } from './digest.ts';

/** What is behind each key; kept here so that nothing of it shows in its type. */
const imported = new WeakMap<PublicKey, KeyMaterial>();

/**
 * A public key from DER of SubjectPublicKeyInfo: RSA (1,024 to 16,384 bits, odd exponent below 2^32), P-256, P-384,
 * P-521 or Ed25519. Strict: one encoding, nothing after it. How strong a key must be is the caller's policy;
 * `algorithm` says what it is.
 * @throws {CryptoError} 'invalid_key', 'unsupported'
 */
export function importPublicKey(spki: Uint8Array): PublicKey {
  requireSpkiSize(spki);
  const own = Uint8Array.from(spki);
  // A second copy: what is checked with must not change when somebody writes into `spki`.
  const material = decodeSpki(own.slice());
  if (material.kind === 'ec' && !isPointOnCurve(material.curve, material.point)) {
    throw new CryptoError('invalid_key', 'public key: expected a point of the curve that the key names');
  }
  const key: PublicKey = Object.freeze({ algorithm: keyAlgorithm(material), spki: own });
  imported.set(key, material);
  return key;
}

/**
 * Internal to this entry.
 * @throws {CryptoError} 'invalid_key' for an object that importPublicKey did not make
 */
export function importedKey(key: PublicKey): KeyMaterial {
  const found = imported.get(key);
  if (found === undefined)
    throw new CryptoError('invalid_key', 'expected a key that importPublicKey of this entry made');
  return found;
}

/**
 * Keys by their bytes, at most `maxEntries`, the least recently used going first.
 * `import(spki)` throws as `importPublicKey` does.
 */
export class PublicKeyCache extends BoundedKeyCache {
  constructor(maxEntries: number) {
    super(maxEntries, importPublicKey, latin1Digester('sha256'));
  }
}
