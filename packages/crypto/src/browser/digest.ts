// SPDX-License-Identifier: Apache-2.0
import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { sha3_224, sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js';
import type { CHash } from '@noble/hashes/utils.js';
import { digestSize } from '../digest-size.ts';
import { CryptoError } from '../error.ts';
import type { DigestAlgorithm, IncrementalDigest } from '../types.ts';

/** Each with its default output size, which is that of the name. There is no SM3 in @noble. */
const HASHES: Partial<Record<DigestAlgorithm, CHash>> = {
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  'sha3-224': sha3_224,
  'sha3-256': sha3_256,
  'sha3-384': sha3_384,
  'sha3-512': sha3_512,
  'blake2b-512': blake2b as CHash,
  'blake2s-256': blake2s as CHash,
  ripemd160,
};

/** True when this runtime computes the digest. */
export function isDigestAvailable(algorithm: DigestAlgorithm): boolean {
  return HASHES[algorithm] !== undefined;
}

/**
 * Internal to this entry.
 * @throws {CryptoError} 'unsupported'
 */
export function hashOf(algorithm: DigestAlgorithm): CHash {
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new CryptoError('unsupported', `there is no ${algorithm} digest in browsers`);
  return hash;
}

/** @throws {CryptoError} 'unsupported' */
export function digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  return hashOf(algorithm)(bytes);
}

/** @throws {CryptoError} 'unsupported' */
export function startDigest(algorithm: DigestAlgorithm): IncrementalDigest {
  return incrementalOf(hashOf(algorithm).create());
}

function incrementalOf(inner: ReturnType<CHash['create']>): IncrementalDigest {
  const incremental: IncrementalDigest = {
    update(bytes) {
      inner.update(bytes);
      return incremental;
    },
    copy: () => incrementalOf(inner.clone()),
    digest: () => inner.digest(),
  };
  return incremental;
}

/**
 * RFC 2104.
 * @throws {CryptoError} 'unsupported'
 */
export function hmac(algorithm: DigestAlgorithm, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return nobleHmac(hashOf(algorithm), key, bytes);
}

/**
 * A function that gives a digest as a string of one character a byte (Latin-1), as the entry for Node does for speed;
 * here it serves as a key of maps.
 * @throws {CryptoError} 'unsupported'
 */
export function latin1Digester(algorithm: DigestAlgorithm): (bytes: Uint8Array) => string {
  const hash = hashOf(algorithm);
  return (bytes) => String.fromCharCode(...hash(bytes));
}

/**
 * A function that digests its input into `target` at an offset; for many small inputs. It throws a RangeError, having
 * written nothing, where the digest would not fit.
 * @throws {CryptoError} 'unsupported'
 */
export function digestWriter(algorithm: DigestAlgorithm, target: Uint8Array): (bytes: Uint8Array, at: number) => void {
  const hash = hashOf(algorithm);
  const last = target.length - digestSize(algorithm);
  return (bytes, at) => {
    if (!(at >= 0 && at <= last))
      throw new RangeError(`a digest of ${target.length - last} octets does not fit at ${at}`);
    target.set(hash(bytes), at);
  };
}
