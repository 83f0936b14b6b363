// SPDX-License-Identifier: Apache-2.0
import { CryptoError, importPublicKey, type PublicKey, type SignatureScheme, verifySignature } from '@vouchsafe/crypto';
import { PkiError } from './error.ts';

/** Imports keys; a PublicKeyCache of @vouchsafe/crypto fits, and spares importing the same authority's key again. */
export interface KeySource {
  import(spki: Uint8Array): PublicKey;
}

const WITHOUT_CACHE: KeySource = { import: importPublicKey };

/**
 * A key from the DER of SubjectPublicKeyInfo.
 * @throws {PkiError} 'key_invalid', 'unsupported'.
 */
export function importKey(spki: Uint8Array, keys: KeySource = WITHOUT_CACHE): PublicKey {
  try {
    return keys.import(spki);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const code = cause.code === 'unsupported' ? 'unsupported' : 'key_invalid';
    throw new PkiError(code, `expected a public key that can be used here: ${cause.message}`, { cause });
  }
}

/**
 * Whether the key made the signature; false too when the key is of another kind than the scheme, as it then cannot have.
 * @throws {PkiError} 'unsupported' for a digest that this runtime does not have.
 */
export function isSignatureBy(
  key: PublicKey,
  scheme: SignatureScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verifySignature(key, scheme, message, signature);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    if (cause.code === 'key_mismatch') return false;
    throw new PkiError('unsupported', `expected a signature that can be checked here: ${cause.message}`, { cause });
  }
}
