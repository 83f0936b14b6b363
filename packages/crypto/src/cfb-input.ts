// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from './error.ts';

/**
 * The key sizes of FIPS 197 and the block of SP 800-38A; both runtimes would fail here with errors of their own.
 * @throws {CryptoError} 'invalid_input'
 */
export function requireAesInput(key: Uint8Array, iv: Uint8Array): void {
  if (![16, 24, 32].includes(key.length)) {
    throw new CryptoError('invalid_input', `expected an AES key of 16, 24 or 32 octets, found ${key.length}`);
  }
  if (iv.length !== 16) throw new CryptoError('invalid_input', `expected an IV of 16 octets, found ${iv.length}`);
}
