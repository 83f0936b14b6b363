// SPDX-License-Identifier: Apache-2.0
import { pbkdf2 as noblePbkdf2 } from '@noble/hashes/pbkdf2.js';
import { requireWork } from '../pbkdf2-input.ts';
import type { DigestAlgorithm } from '../types.ts';
import { hashOf } from './digest.ts';

/**
 * A key from a pass phrase: PBKDF2 with HMAC. RFC 8018, section 5.2.
 * @param iterations at most 10 million, some seconds of work.
 * @param sizeBytes octets of the key, at most 1,024.
 * @throws {CryptoError} 'unsupported' for a digest that this runtime lacks, and for more work than that
 */
export function pbkdf2(
  algorithm: DigestAlgorithm,
  passphrase: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  sizeBytes: number,
): Uint8Array {
  requireWork(iterations, sizeBytes);
  return noblePbkdf2(hashOf(algorithm), passphrase, salt, { c: iterations, dkLen: sizeBytes });
}
