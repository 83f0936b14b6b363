// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from './types.ts';

const SIZES: Readonly<Record<DigestAlgorithm, number>> = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha3-224': 28,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
  'blake2b-512': 64,
  'blake2s-256': 32,
  ripemd160: 20,
  sm3: 32,
};

/** What the digests take at a time: FIPS 180-4, figure 1; FIPS 202, table 3; RFC 7693, 2.1; GB/T 32905. */
const INPUT_BLOCK_SIZES: Readonly<Record<DigestAlgorithm, number>> = {
  sha1: 64,
  sha224: 64,
  sha256: 64,
  sha384: 128,
  sha512: 128,
  'sha3-224': 144,
  'sha3-256': 136,
  'sha3-384': 104,
  'sha3-512': 72,
  'blake2b-512': 128,
  'blake2s-256': 64,
  ripemd160: 64,
  sm3: 64,
};

/** Every digest name this product knows, whether the runtime has it or not. */
export const DIGEST_ALGORITHMS = Object.keys(SIZES) as readonly DigestAlgorithm[];

/** Length of a digest, in octets. */
export function digestSize(algorithm: DigestAlgorithm): number {
  return SIZES[algorithm];
}

/** Length of the blocks in which a digest takes its input, in octets: B of RFC 2104. */
export function inputBlockSize(algorithm: DigestAlgorithm): number {
  return INPUT_BLOCK_SIZES[algorithm];
}

export function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(SIZES, name);
}
