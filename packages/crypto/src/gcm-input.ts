// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from './error.ts';

/** Octets of the authentication tag: the longest that NIST SP 800-38D, section 5.2.1.2, has. */
export const GCM_TAG_BYTES = 16;
const KEY_BYTES = 32;
/** NIST SP 800-38D, section 8.2: 96 bits. */
const NONCE_BYTES = 12;

/** @throws {CryptoError} 'invalid_input' */
export function requireGcmInput(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== KEY_BYTES) {
    throw new CryptoError('invalid_input', `AES-256-GCM: expected a key of ${KEY_BYTES} octets, found ${key.length}`);
  }
  if (nonce.length !== NONCE_BYTES) {
    throw new CryptoError(
      'invalid_input',
      `AES-256-GCM: expected a nonce of ${NONCE_BYTES} octets, found ${nonce.length}`,
    );
  }
}
