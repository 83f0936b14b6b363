// SPDX-License-Identifier: Apache-2.0
import { type ECDSA, ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { EcCurve } from './types.ts';

/**
 * ECDSA over a digest, in JavaScript: all of ECDSA in browsers, and in Node the one case that node:crypto does not
 * have.
 *
 * The curves are made here, on first use, and not taken from '@noble/curves/nist.js': that module loads hashing to
 * curves, OPRF and threshold signatures too, and takes three times as long to load as this one, at every start of every
 * program.
 */

/** Domain parameters of the curves y² = x³ - 3x + b. NIST SP 800-186, section 3.2.1. The cofactor is 1. */
interface Parameters {
  readonly p: bigint;
  readonly n: bigint;
  readonly b: bigint;
  readonly Gx: bigint;
  readonly Gy: bigint;
}

/** A long hexadecimal constant; the spaces are for the eye. */
function hex(digits: string): bigint {
  return BigInt(`0x${digits.replaceAll(' ', '')}`);
}

const PARAMETERS: Readonly<Record<EcCurve, () => Parameters>> = {
  'P-256': () => ({
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
    b: hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b'),
    Gx: hex('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'),
    Gy: hex('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'),
  }),
  'P-384': () => ({
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: hex('ffffffffffffffffffffffffffffffffffffffffffffffff c7634d81f4372ddf581a0db248b0a77aecec196accc52973'),
    b: hex('b3312fa7e23ee7e4988e056be3f82d19181d9c6efe814112 0314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef'),
    Gx: hex('aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98 59f741e082542a385502f25dbf55296c3a545e3872760ab7'),
    Gy: hex('3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f'),
  }),
  'P-521': () => ({
    p: 2n ** 521n - 1n,
    n: hex(
      '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa' +
        '51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
    ),
    b: hex(
      '0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1' +
        '56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
    ),
    Gx: hex(
      '00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba' +
        'a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66',
    ),
    Gy: hex(
      '011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c' +
        '97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650',
    ),
  }),
};

const curves = new Map<EcCurve, ECDSA>();

/** The arithmetic of a curve; internal to this package. */
export function curveOf(name: EcCurve): ECDSA {
  let curve = curves.get(name);
  if (curve === undefined) {
    const parameters = PARAMETERS[name]();
    // The hash serves signing and hashing messages, neither of which is done with it here.
    curve = ecdsa(weierstrass({ ...parameters, a: parameters.p - 3n, h: 1n }), sha256);
    curves.set(name, curve);
  }
  return curve;
}

/** True for an encoded point (SEC 1, section 2.3.3) that is on the curve and not at infinity. */
export function isPointOnCurve(curve: EcCurve, point: Uint8Array): boolean {
  return curveOf(curve).utils.isValidPublicKey(point);
}

/**
 * FIPS 186-5, section 6.4.2. Takes the leftmost bits of a digest that is longer than the order. Both of the two s that
 * fit are right, as for OpenSSL: signers do not agree on the lower one.
 * @param point a point on the curve, encoded
 * @param signature r || s; false unless both are 1 to n - 1
 */
export function isEcdsaSignature(
  curve: EcCurve,
  point: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  return curveOf(curve).verify(signature, digest, point, { prehash: false, lowS: false, format: 'compact' });
}
