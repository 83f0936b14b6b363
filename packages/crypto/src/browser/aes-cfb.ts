// SPDX-License-Identifier: Apache-2.0
import { cfb } from '@noble/ciphers/aes.js';
import { requireAesInput } from '../cfb-input.ts';

/**
 * AES in CFB mode with segments of a whole block (CFB128). NIST SP 800-38A, section 6.3. The output is as long as the
 * input. It hides and does not protect: whoever uses it needs an HMAC beside it.
 * @param key 16, 24 or 32 octets
 * @param iv 16 octets
 * @throws {CryptoError} 'invalid_input'
 */
export function encryptAesCfb(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array {
  requireAesInput(key, iv);
  return plain.length === 0 ? new Uint8Array() : cfb(key, iv).encrypt(plain);
}

/**
 * The inverse of `encryptAesCfb`.
 * @throws {CryptoError} 'invalid_input'
 */
export function decryptAesCfb(key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  requireAesInput(key, iv);
  return encrypted.length === 0 ? new Uint8Array() : cfb(key, iv).decrypt(encrypted);
}
