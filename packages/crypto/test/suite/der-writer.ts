// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';

/** Just enough DER, by hand, to make keys and signatures that are wrong in one place. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...content);
  const n = body.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return concatBytes(Uint8Array.of(tag, ...length), body);
}

/** An unsigned INTEGER from its octets, with the zero in front where the top bit is set. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array {
  return der(0x02, magnitude[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), magnitude);
}

export const RSA_ALGORITHM = der(0x30, Uint8Array.of(0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1), der(0x05));

/** SubjectPublicKeyInfo of an RSA key with any numbers in it. */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array, algorithm = RSA_ALGORITHM): Uint8Array {
  const key = der(0x30, derUnsigned(modulus), derUnsigned(exponent));
  return der(0x30, algorithm, der(0x03, Uint8Array.of(0), key));
}

/** A modulus of this many bits, odd; not a product of two primes that anybody knows. */
export function someModulus(bits: number): Uint8Array {
  const modulus = Uint8Array.from({ length: Math.ceil(bits / 8) }, (_, i) => (i * 37 + 11) | 1);
  const top = (bits - 1) % 8;
  modulus[0] = (modulus[0]! & ((1 << top) - 1)) | (1 << top);
  return modulus;
}
