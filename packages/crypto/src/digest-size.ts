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

/** Every digest name this product knows, whether the runtime has it or not. */
export const DIGEST_ALGORITHMS = Object.keys(SIZES) as readonly DigestAlgorithm[];

/** Length of a digest, in octets. */
export function digestSize(algorithm: DigestAlgorithm): number {
  return SIZES[algorithm];
}

export function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(SIZES, name);
}
