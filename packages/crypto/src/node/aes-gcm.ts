// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { GCM_TAG_BYTES, requireGcmInput } from '../gcm-input.ts';

/**
 * AES-256 in Galois/Counter Mode, the tag behind the ciphertext. NIST SP 800-38D.
 * @param key 32 octets
 * @param nonce 12 octets, never twice with one key
 * @param additional what is authenticated and not encrypted
 * @throws {CryptoError} 'invalid_input'
 */
export function encryptAesGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  additional: Uint8Array,
): Uint8Array {
  requireGcmInput(key, nonce);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES }).setAAD(additional);
  return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/**
 * The inverse of `encryptAesGcm`; undefined when key, nonce, ciphertext or additional data is not what was encrypted.
 * @throws {CryptoError} 'invalid_input'
 */
export function decryptAesGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  additional: Uint8Array,
): Uint8Array | undefined {
  requireGcmInput(key, nonce);
  if (sealed.length < GCM_TAG_BYTES) return undefined;
  const split = sealed.length - GCM_TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES })
    .setAAD(additional)
    .setAuthTag(sealed.subarray(split));
  const plain = decipher.update(sealed.subarray(0, split));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(plain);
}
