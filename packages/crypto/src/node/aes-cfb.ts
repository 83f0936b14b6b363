// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { requireAesInput } from '../cfb-input.ts';

const cipherName = (key: Uint8Array): string => `aes-${key.length * 8}-cfb`;

/**
 * AES in CFB mode with segments of a whole block (CFB128). NIST SP 800-38A, section 6.3. The output is as long as the
 * input. It hides and does not protect: whoever uses it needs an HMAC beside it.
 * @param key 16, 24 or 32 octets
 * @param iv 16 octets
 * @throws {CryptoError} 'invalid_input'
 */
export function encryptAesCfb(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array {
  requireAesInput(key, iv);
  return new Uint8Array(createCipheriv(cipherName(key), key, iv).update(plain));
}

/**
 * The inverse of `encryptAesCfb`.
 * @throws {CryptoError} 'invalid_input'
 */
export function decryptAesCfb(key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  requireAesInput(key, iv);
  return new Uint8Array(createDecipheriv(cipherName(key), key, iv).update(encrypted));
}
