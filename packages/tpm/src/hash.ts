// SPDX-License-Identifier: Apache-2.0
import { type DigestAlgorithm, digest, digestSize, isDigestAvailable } from '@vouchsafe/crypto';
import { TpmError } from './error.ts';
import type { TpmHash } from './structures/algorithm.ts';

/** The TCG's names to ours. */
const DIGESTS: Readonly<Record<TpmHash, DigestAlgorithm>> = {
  sha1: 'sha1',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  sm3_256: 'sm3',
  sha3_256: 'sha3-256',
  sha3_384: 'sha3-384',
  sha3_512: 'sha3-512',
};

/** The name that @vouchsafe/crypto has for a TPM's hash. */
export function digestAlgorithmOf(hash: TpmHash): DigestAlgorithm {
  return DIGESTS[hash];
}

/** Length of a digest of that hash, in octets. */
export function tpmHashSize(hash: TpmHash): number {
  return digestSize(DIGESTS[hash]);
}

/** True when this runtime computes the hash; SM3 is often missing. */
export function isTpmHashAvailable(hash: TpmHash): boolean {
  return isDigestAvailable(DIGESTS[hash]);
}

/** @throws {TpmError} 'algorithm_unsupported' when this runtime does not have the hash. */
export function tpmDigest(hash: TpmHash, bytes: Uint8Array): Uint8Array {
  if (!isTpmHashAvailable(hash)) {
    throw new TpmError('algorithm_unsupported', `expected a hash that this runtime has, found ${hash}`);
  }
  return digest(DIGESTS[hash], bytes);
}
