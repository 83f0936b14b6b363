// SPDX-License-Identifier: Apache-2.0
/**
 * GF(2^8) as dm-verity's error correction uses it: polynomials over GF(2) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), in
 * which alpha = x generates every element but zero. Addition and subtraction are both exclusive or.
 *
 * cryptsetup lib/verity/verity_fec.c, FEC_PARAMS; Linux drivers/md/dm-verity-fec.c, init_rs(8, 0x11d, 0, 1, roots).
 */
const FIELD_POLYNOMIAL = 0x11d;

/** Elements other than zero; alpha to this power is 1. */
export const ORDER = 255;

/** POWERS[i] is alpha^i, for exponents up to the sum of two logarithms, so that a product needs no division. */
export const POWERS: Uint8Array = new Uint8Array(2 * ORDER);

/** LOGARITHMS[a] is the i below 255 with alpha^i = a. Zero has none: its entry means nothing. */
export const LOGARITHMS: Uint8Array = new Uint8Array(ORDER + 1);

for (let exponent = 0, element = 1; exponent < ORDER; exponent++) {
  POWERS[exponent] = element;
  POWERS[exponent + ORDER] = element;
  LOGARITHMS[element] = exponent;
  element <<= 1;
  if (element > 0xff) element ^= FIELD_POLYNOMIAL;
}

/** The product of two elements. */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : POWERS[LOGARITHMS[a]! + LOGARITHMS[b]!]!;
}

/** The quotient of two elements; `b` is not zero. */
export function divide(a: number, b: number): number {
  return a === 0 ? 0 : POWERS[LOGARITHMS[a]! + ORDER - LOGARITHMS[b]!]!;
}

/** The value of a polynomial at `x`; coefficient i belongs to x^i, and those from `length` on are left out. */
export function evaluate(coefficients: Uint8Array, length: number, x: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = multiply(value, x) ^ coefficients[i]!;
  return value;
}
