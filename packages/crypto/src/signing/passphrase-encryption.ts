// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createCipheriv, pbkdf2Sync } from 'node:crypto';
import { CryptoError } from '../error.ts';

/** NIST SP 800-132, 5.1, asks for 16 octets of salt; AES-CBC takes one block of 16 as its start. */
const SALT_BYTES = 16;
const IV_BYTES = 16;
const KEY_BYTES = 32;

/** What whoever decrypts has to be told. Salt and start are to be random and fresh each time. */
export interface PassphraseEncryption {
  readonly salt: Uint8Array;
  readonly iv: Uint8Array;
  /** Of HMAC-SHA-256. */
  readonly iterations: number;
}

/**
 * Encrypts under a pass phrase, as scheme PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC does. RFC 8018, sections 5.2 and
 * 6.2.1. Nothing vouches for the result: whoever changes it is found out by what is inside, if at all.
 * @param content of any length; padded as RFC 8018, appendix B.2.5, says.
 * @throws {CryptoError} 'wrong_passphrase' for an empty pass phrase, which protects nothing.
 */
export function encryptWithPassphrase(
  content: Uint8Array,
  passphrase: string,
  { salt, iv, iterations }: PassphraseEncryption,
): Uint8Array {
  if (passphrase === '') {
    throw new CryptoError('wrong_passphrase', 'expected a pass phrase to encrypt with, found an empty one');
  }
  if (salt.length !== SALT_BYTES || iv.length !== IV_BYTES || !Number.isSafeInteger(iterations) || iterations < 1) {
    throw new RangeError(`salt of ${salt.length} octets, iv of ${iv.length}, ${iterations} iterations`);
  }
  const key = pbkdf2Sync(passphrase, salt, iterations, KEY_BYTES, 'sha256');
  try {
    const cipher = createCipheriv('aes-256-cbc', key, iv);
    return new Uint8Array(Buffer.concat([cipher.update(content), cipher.final()]));
  } finally {
    key.fill(0);
  }
}
