// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { mgf1 } from './mgf1.ts';
import type { DigestAlgorithm } from './types.ts';

/** What EMSA-PSS is checked with. */
export interface PssParameters {
  readonly hash: DigestAlgorithm;
  readonly saltSize: number | 'any';
  readonly computeDigest: (algorithm: DigestAlgorithm, bytes: Uint8Array) => Uint8Array;
}

/**
 * EMSA-PSS-VERIFY. RFC 8017, section 9.1.2; the steps are numbered as there. MGF1 uses the same hash.
 * @param encoded the k octets of s^e mod n, k the length of the modulus
 * @param modulusBits length of the modulus; the encoding takes one bit less (section 8.1.2, step 2c)
 */
export function isEmsaPss(
  encoded: Uint8Array,
  modulusBits: number,
  digest: Uint8Array,
  { hash, saltSize, computeDigest }: PssParameters,
): boolean {
  const emBits = modulusBits - 1;
  const size = Math.ceil(emBits / 8);
  // When emBits is a multiple of 8 the modulus is one octet longer than EM, and that octet must be zero.
  if (encoded.length > size && encoded[0] !== 0) return false;
  const em = encoded.subarray(encoded.length - size);
  const hashSize = digest.length;
  // Step 3.
  const room = size - hashSize - 2;
  if (room < 0 || (saltSize !== 'any' && saltSize > room)) return false;
  // Step 4.
  if (em.at(-1) !== 0xbc) return false;
  // Step 5.
  const maskedDb = em.subarray(0, size - hashSize - 1);
  const h = em.subarray(maskedDb.length, size - 1);
  // Step 6: the bits above emBits.
  const topMask = 0xff >> (8 * size - emBits);
  if ((maskedDb[0]! & ~topMask) !== 0) return false;
  // Steps 7 to 9.
  const db = mgf1(hash, h, maskedDb.length, computeDigest);
  for (let i = 0; i < db.length; i++) db[i]! ^= maskedDb[i]!;
  db[0]! &= topMask;
  // Step 10: zeros, then 0x01, then the salt. With any salt, the first octet that is not zero must be that 0x01.
  const one = saltSize === 'any' ? db.findIndex((octet) => octet !== 0) : room - saltSize;
  if (db[one] !== 0x01 || db.subarray(0, one).some((octet) => octet !== 0)) return false;
  // Steps 11 to 14.
  const salt = db.subarray(one + 1);
  return bytesEqual(computeDigest(hash, concatBytes(new Uint8Array(8), digest, salt)), h);
}
