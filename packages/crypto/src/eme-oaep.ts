// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { digestSize } from './digest-size.ts';
import { CryptoError } from './error.ts';
import { mgf1 } from './mgf1.ts';
import type { DigestAlgorithm } from './types.ts';

/** What EME-OAEP is made with. */
export interface OaepParameters {
  /** Of the label and of MGF1, which is one and the same hash in a TPM. */
  readonly hash: DigestAlgorithm;
  readonly label: Uint8Array;
  /** As long as the hash; random, and never used twice. */
  readonly seed: Uint8Array;
}

/**
 * EME-OAEP encoding. RFC 8017, section 7.1.1, step 2; its letters are given beside the lines.
 * @param sizeBytes length of the modulus
 * @throws {CryptoError} 'invalid_input' for a message that does not fit, or a seed of another length than the hash's
 */
export function encodeEmeOaep(
  message: Uint8Array,
  sizeBytes: number,
  { hash, label, seed }: OaepParameters,
  computeDigest: (algorithm: DigestAlgorithm, bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const hashSize = digestSize(hash);
  const room = sizeBytes - 2 * hashSize - 2;
  if (message.length > room) {
    throw new CryptoError('invalid_input', `expected a message of at most ${room} octets, found ${message.length}`);
  }
  if (seed.length !== hashSize) {
    throw new CryptoError('invalid_input', `expected a seed of ${hashSize} octets, found ${seed.length}`);
  }
  const padding = new Uint8Array(room - message.length); // b
  const db = concatBytes(computeDigest(hash, label), padding, Uint8Array.of(0x01), message); // c
  const maskedDb = xor(db, mgf1(hash, seed, db.length, computeDigest)); // e, f
  const maskedSeed = xor(seed, mgf1(hash, maskedDb, hashSize, computeDigest)); // g, h
  return concatBytes(Uint8Array.of(0x00), maskedSeed, maskedDb); // i
}

function xor(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((octet, i) => octet ^ mask[i]!);
}
