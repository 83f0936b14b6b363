// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { digestSize } from './digest-size.ts';
import { CryptoError } from './error.ts';
import type { DigestAlgorithm } from './types.ts';

/**
 * Content octets of the digests' OBJECT IDENTIFIERs. RFC 8017, appendix B.1; NIST's CSOR for SHA-3; TeleTrusT for
 * RIPEMD-160.
 */
const DIGEST_OIDS: Partial<Record<DigestAlgorithm, readonly number[]>> = {
  sha1: [0x2b, 0x0e, 0x03, 0x02, 0x1a], // 1.3.14.3.2.26
  sha224: nistOid(4),
  sha256: nistOid(1),
  sha384: nistOid(2),
  sha512: nistOid(3),
  'sha3-224': nistOid(7),
  'sha3-256': nistOid(8),
  'sha3-384': nistOid(9),
  'sha3-512': nistOid(10),
  ripemd160: [0x2b, 0x24, 0x03, 0x02, 0x01], // 1.3.36.3.2.1
};

/** 2.16.840.1.101.3.4.2.n */
function nistOid(n: number): readonly number[] {
  return [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n];
}

/** True for a digest that signatures are made with; the others have no name to sign under. */
export function isSignatureHash(algorithm: DigestAlgorithm): boolean {
  return DIGEST_OIDS[algorithm] !== undefined;
}

/**
 * DigestInfo, DER. RFC 8017, section 9.2, step 2. The parameters of the digest's AlgorithmIdentifier are NULL, as
 * OpenSSL and every signer that we know of writes them.
 * @throws {CryptoError} 'unsupported'
 */
export function digestInfo(hash: DigestAlgorithm, digest: Uint8Array): Uint8Array {
  const oid = DIGEST_OIDS[hash];
  if (oid === undefined) throw new CryptoError('unsupported', `no RSA signature is defined over a ${hash} digest`);
  const algorithm = [0x30, oid.length + 4, 0x06, oid.length, ...oid, 0x05, 0x00];
  const rest = algorithm.length + 2 + digest.length;
  return concatBytes(Uint8Array.of(0x30, rest, ...algorithm, 0x04, digest.length), digest);
}

/**
 * EMSA-PKCS1-v1_5. RFC 8017, section 9.2. A signature is checked by making this and comparing, never by taking apart
 * what the signature holds: parsers that skipped some octet there have all been forged against (Bleichenbacher, 2006).
 * @returns `sizeBytes` octets. The modulus is at least 1,024 bits, so that the longest DigestInfo (83) and 11 more fit.
 * @throws {CryptoError} 'unsupported'
 */
export function encodeEmsaPkcs1(hash: DigestAlgorithm, digest: Uint8Array, sizeBytes: number): Uint8Array {
  if (digest.length !== digestSize(hash)) throw new RangeError(`a ${hash} digest has ${digestSize(hash)} octets`);
  const info = digestInfo(hash, digest);
  const encoded = new Uint8Array(sizeBytes).fill(0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  encoded[sizeBytes - info.length - 1] = 0;
  encoded.set(info, sizeBytes - info.length);
  return encoded;
}
