// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { BIT_STRING, bitLength, DerReader, NULL, OBJECT_IDENTIFIER, SEQUENCE } from './der.ts';
import { CURVES, EC_CURVES } from './ec-curve.ts';
import { isEd25519PublicKey } from './ed25519-key.ts';
import { CryptoError } from './error.ts';
import { MAX_RSA_BITS, MAX_RSA_EXPONENT, MAX_SPKI_BYTES, MIN_RSA_BITS } from './limits.ts';
import type { EcCurve, KeyAlgorithm } from './types.ts';

/** What a SubjectPublicKeyInfo holds. Byte arrays are views of it. */
export type KeyMaterial =
  | {
      readonly kind: 'rsa';
      readonly bits: number;
      /** Big-endian, without leading zeros. */
      readonly modulus: Uint8Array;
      readonly exponent: number;
    }
  | {
      readonly kind: 'ec';
      readonly curve: EcCurve;
      /** SEC 1, section 2.3.3: compressed or not. Whether it is on the curve has not been looked at. */
      readonly point: Uint8Array;
    }
  | { readonly kind: 'ed25519'; readonly point: Uint8Array };

const RSA_ENCRYPTION = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01); // 1.2.840.113549.1.1.1
const EC_PUBLIC_KEY = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01); // 1.2.840.10045.2.1
const ED25519 = Uint8Array.of(0x2b, 0x65, 0x70); // 1.3.101.112

/** @throws {CryptoError} 'invalid_key' when the bytes are too many to be a key of a kind we take. */
export function requireSpkiSize(spki: Uint8Array): void {
  if (spki.length > MAX_SPKI_BYTES) {
    throw malformed(`expected at most ${MAX_SPKI_BYTES} octets, found ${spki.length}`);
  }
}

/**
 * SubjectPublicKeyInfo. RFC 5280, section 4.1; its algorithms: RFC 3279, section 2.3.1 (RSA), RFC 5480 (EC), RFC 8410
 * (Ed25519). DER to the letter, nothing left over: two keys that differ in one octet are never the same key.
 * @throws {CryptoError} 'invalid_key', 'unsupported'
 */
export function decodeSpki(spki: Uint8Array): KeyMaterial {
  requireSpkiSize(spki);
  const outer = new DerReader(spki);
  const info = outer.enter(SEQUENCE);
  const algorithm = info?.enter(SEQUENCE);
  const oid = algorithm?.read(OBJECT_IDENTIFIER);
  const bits = info?.read(BIT_STRING);
  if (!info || !algorithm || !oid || !bits || !info.done || !outer.done) {
    throw malformed('expected a DER SubjectPublicKeyInfo and nothing after it');
  }
  // X.690, section 8.6.2.2: the first octet counts unused bits; a key is whole octets.
  if (bits[0] !== 0) throw malformed('expected a BIT STRING of whole octets');
  const key = bits.subarray(1);
  if (bytesEqual(oid, RSA_ENCRYPTION)) return decodeRsa(algorithm, key);
  if (bytesEqual(oid, EC_PUBLIC_KEY)) return decodeEc(algorithm, key);
  if (bytesEqual(oid, ED25519)) return decodeEd25519(algorithm, key);
  throw new CryptoError(
    'unsupported',
    `expected an RSA, EC or Ed25519 public key, found the algorithm OID ${toHex(oid.subarray(0, 32))} (DER)`,
  );
}

/** RSAPublicKey. RFC 8017, appendix A.1.1. */
function decodeRsa(parameters: DerReader, key: Uint8Array): KeyMaterial {
  // RFC 3279, section 2.3.1: the parameters MUST be NULL.
  if (parameters.read(NULL)?.length !== 0 || !parameters.done)
    throw malformed('expected NULL parameters for an RSA key');
  const outer = new DerReader(key);
  const sequence = outer.enter(SEQUENCE);
  const modulus = sequence?.readUnsigned();
  const exponentBytes = sequence?.readUnsigned();
  if (!sequence || !modulus || !exponentBytes || !sequence.done || !outer.done) {
    throw malformed('expected a DER RSAPublicKey and nothing after it');
  }
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    throw malformed(`expected an RSA modulus of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, found ${bits}`);
  }
  if ((modulus.at(-1)! & 1) === 0) throw malformed('expected an odd RSA modulus, found an even one');
  const exponent = exponentBytes.length > 4 ? Infinity : exponentBytes.reduce((sum, octet) => sum * 256 + octet, 0);
  // RFC 8017, section 3.1: 3 to n - 1 and coprime to an even number, so odd.
  if (exponent < 3 || exponent > MAX_RSA_EXPONENT || exponent % 2 === 0) {
    throw malformed(
      `expected an odd RSA public exponent from 3 to ${MAX_RSA_EXPONENT}, found 0x${toHex(exponentBytes)}`,
    );
  }
  return { kind: 'rsa', bits, modulus, exponent };
}

/** RFC 5480, sections 2.1.1 and 2.2. */
function decodeEc(parameters: DerReader, key: Uint8Array): KeyMaterial {
  // Explicit parameters (a SEQUENCE) let the sender choose the generator, and so forge: CVE-2020-0601.
  const oid = parameters.read(OBJECT_IDENTIFIER);
  if (!oid || !parameters.done) throw malformed('expected a named curve for an EC key');
  const curve = EC_CURVES.find((name) => bytesEqual(oid, Uint8Array.from(CURVES[name].oid)));
  if (curve === undefined) {
    const found = toHex(oid.subarray(0, 32));
    throw new CryptoError(
      'unsupported',
      `expected the curve P-256, P-384 or P-521, found the curve OID ${found} (DER)`,
    );
  }
  // RFC 5480, section 2.2: hybrid form (0x06, 0x07) MUST NOT be used; SEC 1's single 0x00 is no public key.
  const { sizeBytes } = CURVES[curve];
  const uncompressed = key[0] === 0x04 && key.length === 1 + 2 * sizeBytes;
  const compressed = (key[0] === 0x02 || key[0] === 0x03) && key.length === 1 + sizeBytes;
  if (!uncompressed && !compressed)
    throw malformed(`expected a point of ${curve}, found ${key.length} octets of another form`);
  return { kind: 'ec', curve, point: key };
}

/** RFC 8410, sections 3 and 4. */
function decodeEd25519(parameters: DerReader, key: Uint8Array): KeyMaterial {
  if (!parameters.done) throw malformed('expected no parameters for an Ed25519 key');
  if (!isEd25519PublicKey(key))
    throw malformed('expected 32 octets of a point of edwards25519 that is not of small order');
  return { kind: 'ed25519', point: key };
}

/** What `PublicKey.algorithm` says of the key. */
export function keyAlgorithm(material: KeyMaterial): KeyAlgorithm {
  if (material.kind === 'rsa') return Object.freeze({ kind: 'rsa', bits: material.bits });
  return Object.freeze(material.kind === 'ec' ? { kind: 'ec', curve: material.curve } : { kind: 'ed25519' });
}

function malformed(message: string): CryptoError {
  return new CryptoError('invalid_key', `public key: ${message}`);
}
