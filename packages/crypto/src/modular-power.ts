// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';

/**
 * base^exponent mod modulus, left to right by squaring. Its time depends on the values: for public numbers only.
 * The caller bounds the length of all three.
 */
export function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** OS2IP, RFC 8017, section 4.2: octets, big-endian, to a number. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** I2OSP, RFC 8017, section 4.1; the number must fit, which its callers have seen to. */
export function bigintToBytes(value: bigint, sizeBytes: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * sizeBytes, '0');
  return Uint8Array.from({ length: sizeBytes }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
