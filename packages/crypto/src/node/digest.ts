// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash, getHashes, type Hash, hash } from 'node:crypto';
import { digestSize, inputBlockSize } from '../digest-size.ts';
import { CryptoError } from '../error.ts';
import type { DigestAlgorithm, IncrementalDigest } from '../types.ts';

/** OpenSSL's names where they differ from the kernel's. */
const OPENSSL_NAMES: Partial<Record<DigestAlgorithm, string>> = {
  'blake2b-512': 'blake2b512',
  'blake2s-256': 'blake2s256',
};

/** What every OpenSSL has that Node.js is built with. To ask for all that it has takes a part of a millisecond. */
const EVERYWHERE: readonly DigestAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** OpenSSL may be built without the rarer digests. */
let rarer: ReadonlySet<string> | undefined;

/** True when this runtime computes the digest. */
export function isDigestAvailable(algorithm: DigestAlgorithm): boolean {
  if (EVERYWHERE.includes(algorithm)) return true;
  rarer ??= new Set(getHashes());
  return rarer.has(OPENSSL_NAMES[algorithm] ?? algorithm);
}

/**
 * Internal to this entry.
 * @throws {CryptoError} 'unsupported'
 */
export function opensslName(algorithm: DigestAlgorithm): string {
  if (!isDigestAvailable(algorithm))
    throw new CryptoError('unsupported', `this Node.js was built without the digest ${algorithm}`);
  return OPENSSL_NAMES[algorithm] ?? algorithm;
}

/** What crypto.hash is told; its declaration leaves out this encoding, which it takes. */
const LATIN1 = 'latin1' as 'hex';

/**
 * What Buffer.write calls for this encoding; it has no declaration, and costs less than choosing it by name each time.
 */
type Latin1Buffer = Buffer & { latin1Write(text: string, at: number): number };

/** @throws {CryptoError} 'unsupported' */
export function digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  const text = hash(opensslName(algorithm), bytes, LATIN1);
  // Not 'buffer': for 64 octets a Buffer takes 1.6 µs where the string and this loop take 0.7 (Node 24.21), and its
  // slice() shares memory where that of a Uint8Array copies, which code written for both runtimes would not expect.
  const value = new Uint8Array(text.length);
  for (let i = 0; i < value.length; i++) value[i] = text.charCodeAt(i);
  return value;
}

/** @throws {CryptoError} 'unsupported' */
export function startDigest(algorithm: DigestAlgorithm): IncrementalDigest {
  return incrementalOf(createHash(opensslName(algorithm)));
}

function incrementalOf(inner: Hash): IncrementalDigest {
  const incremental: IncrementalDigest = {
    update(bytes) {
      inner.update(bytes);
      return incremental;
    },
    copy: () => incrementalOf(inner.copy()),
    digest: () => new Uint8Array(inner.digest()),
  };
  return incremental;
}

/**
 * RFC 2104, 2. Of two digests: the first createHmac of a process takes a millisecond longer, a twentieth of what a small
 * command has.
 * @throws {CryptoError} 'unsupported'
 */
export function hmac(algorithm: DigestAlgorithm, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const size = inputBlockSize(algorithm);
  const inner = new Uint8Array(size + bytes.length);
  inner.set(key.length > size ? digest(algorithm, key) : key);
  const outer = new Uint8Array(size + digestSize(algorithm));
  for (let i = 0; i < size; i++) {
    const octet = inner[i] as number;
    inner[i] = octet ^ 0x36;
    outer[i] = octet ^ 0x5c;
  }
  inner.set(bytes, size);
  outer.set(digest(algorithm, inner), size);
  return digest(algorithm, outer);
}

/**
 * A function that gives a digest as a string of one character a byte (Latin-1). For 64 octets it takes 0.5 µs where a
 * Buffer takes 1.6 (Node 24.21), and the string, 48 octets, is all that is left to collect: what makes hashing block by
 * block as fast as C.
 * @throws {CryptoError} 'unsupported'
 */
export function latin1Digester(algorithm: DigestAlgorithm): (bytes: Uint8Array) => string {
  const name = opensslName(algorithm);
  return (bytes) => hash(name, bytes, LATIN1);
}

/**
 * A function that digests its input into `target` at an offset; for many small inputs. It throws a RangeError, having
 * written nothing, where the digest would not fit.
 * @throws {CryptoError} 'unsupported'
 */
export function digestWriter(algorithm: DigestAlgorithm, target: Uint8Array): (bytes: Uint8Array, at: number) => void {
  const name = opensslName(algorithm);
  const out = Buffer.from(target.buffer, target.byteOffset, target.byteLength) as Latin1Buffer;
  const last = target.length - digestSize(algorithm);
  return (bytes, at) => {
    // latin1Write would write the part that fits, and say nothing.
    if (!(at >= 0 && at <= last))
      throw new RangeError(`a digest of ${target.length - last} octets does not fit at ${at}`);
    out.latin1Write(hash(name, bytes, LATIN1), at);
  };
}
