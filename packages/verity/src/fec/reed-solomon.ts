// SPDX-License-Identifier: Apache-2.0
/**
 * Decoding of the code that dm-verity uses: Reed-Solomon RS(255, 255 - roots) over GF(2^8), with the generator roots
 * alpha^0 to alpha^(roots-1). A codeword is a polynomial whose value at each of them is zero; its byte at position p
 * is the coefficient of x^(254 - p), data first and parity last.
 *
 * With f positions known to be bad (erasures) and e bad bytes at unknown positions, the codeword is found when
 * 2e + f <= roots. The method is Berlekamp-Massey started from the erasure locator, Chien's search, and Forney's
 * formula (R. E. Blahut, Algebraic Codes for Data Transmission, 2003, chapter 7).
 */
import { divide, evaluate, LOGARITHMS, multiply, ORDER, POWERS } from './galois-field.ts';

/** Bytes of a codeword, data and parity. cryptsetup lib/verity/verity_fec.c, FEC_RSM. */
export const CODEWORD_SIZE = 255;

/** What to add (exclusive or) to a received word to get a codeword. */
export interface ErrorPattern {
  /** 0 to 254, each once. */
  readonly positions: readonly number[];
  /** Never zero; one for each position. */
  readonly values: readonly number[];
}

/** The element that stands for a position: its byte is the coefficient of this power of alpha. */
function locator(position: number): number {
  return POWERS[CODEWORD_SIZE - 1 - position]!;
}

/** 1 / locator(position), as alpha^255 = 1. */
function inverseLocator(position: number): number {
  return POWERS[position + 1]!;
}

/**
 * The syndromes of received words: the values at the roots. They are those of any polynomial with the same remainder
 * after division by the generator, so the difference between the received and the recomputed parity is enough.
 * `remainder` has one byte for each syndrome, highest power first. True when one of them is not zero.
 */
export function syndromesOf(remainder: Uint8Array, syndromes: Uint8Array): boolean {
  let damaged = false;
  for (let root = 0; root < syndromes.length; root++) {
    let value = 0;
    for (const byte of remainder) value = (value === 0 ? 0 : POWERS[LOGARITHMS[value]! + root]!) ^ byte;
    syndromes[root] = value;
    if (value !== 0) damaged = true;
  }
  return damaged;
}

/** The polynomial, lowest power first, whose roots are the inverses of the positions' locators. */
function erasureLocator(erasures: readonly number[], size: number): Uint8Array {
  const polynomial = new Uint8Array(size);
  polynomial[0] = 1;
  for (const [degree, position] of erasures.entries()) {
    const factor = locator(position);
    for (let i = degree + 1; i > 0; i--) polynomial[i]! ^= multiply(polynomial[i - 1]!, factor);
  }
  return polynomial;
}

/** The shortest polynomial that has the erasures' roots and generates the syndromes. Berlekamp-Massey. */
function errorLocator(syndromes: Uint8Array, erasures: readonly number[]): Uint8Array {
  const roots = syndromes.length;
  let current = erasureLocator(erasures, roots + 1);
  // Already multiplied by x, as it is wherever it is used.
  let previous = new Uint8Array(roots + 1);
  previous.set(current.subarray(0, roots), 1);
  let degree = erasures.length;
  for (let step = erasures.length; step < roots; step++) {
    let discrepancy = 0;
    for (let i = 0; i <= step; i++) discrepancy ^= multiply(current[i]!, syndromes[step - i]!);
    let kept = previous;
    if (discrepancy !== 0) {
      const next = current.slice();
      for (let i = 1; i <= roots; i++) next[i]! ^= multiply(discrepancy, previous[i]!);
      if (2 * degree <= step + erasures.length) {
        degree = step + 1 + erasures.length - degree;
        kept = current.map((coefficient) => divide(coefficient, discrepancy));
      }
      current = next;
    }
    previous = new Uint8Array(roots + 1);
    previous.set(kept.subarray(0, roots), 1);
  }
  return current;
}

/** The positions whose inverse locators are roots. Chien's search, which stops when all are found. */
function rootsOf(polynomial: Uint8Array, degree: number): number[] {
  const positions: number[] = [];
  for (let position = 0; position < CODEWORD_SIZE && positions.length < degree; position++) {
    if (evaluate(polynomial, degree + 1, inverseLocator(position)) === 0) positions.push(position);
  }
  return positions;
}

/** True when the pattern has exactly these syndromes, that is when the corrected word is a codeword. */
function explains(pattern: ErrorPattern, syndromes: Uint8Array): boolean {
  for (let root = 0; root < syndromes.length; root++) {
    let sum = syndromes[root]!;
    for (const [i, position] of pattern.positions.entries()) {
      const power = (LOGARITHMS[pattern.values[i]!]! + root * (CODEWORD_SIZE - 1 - position)) % ORDER;
      sum ^= POWERS[power]!;
    }
    if (sum !== 0) return false;
  }
  return true;
}

/**
 * The error pattern behind the syndromes of a word, given the positions that are known to be bad; undefined when none
 * lies within 2e + f <= roots. As many syndromes as roots; erasures are distinct, 0 to 254.
 *
 * A pattern that is returned always leads to a codeword. With more damage than the bound that may be another codeword
 * than the one written, and with as many erasures as roots it is so whatever else is damaged: only a digest tells.
 */
export function findErrors(syndromes: Uint8Array, erasures: readonly number[]): ErrorPattern | undefined {
  const roots = syndromes.length;
  if (erasures.length > roots) return undefined;
  const polynomial = errorLocator(syndromes, erasures);
  let degree = roots;
  while (degree > 0 && polynomial[degree] === 0) degree--;
  if (2 * degree - erasures.length > roots) return undefined;
  const located = degree === erasures.length ? erasures : rootsOf(polynomial, degree);
  if (located.length !== degree) return undefined;

  // Forney with first root 0: value = X * omega(1/X) / lambda'(1/X), omega = syndromes * lambda mod x^degree.
  const omega = new Uint8Array(degree);
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j <= i; j++) omega[i]! ^= multiply(syndromes[i - j]!, polynomial[j]!);
  }
  // Of the derivative only even powers stay: in this field 2a = 0.
  const derivative = new Uint8Array(degree);
  for (let i = 0; i < degree; i += 2) derivative[i] = polynomial[i + 1]!;

  const positions: number[] = [];
  const values: number[] = [];
  for (const position of located) {
    const at = inverseLocator(position);
    const slope = evaluate(derivative, degree, at);
    if (slope === 0) return undefined;
    const value = multiply(locator(position), divide(evaluate(omega, degree, at), slope));
    if (value === 0) continue;
    positions.push(position);
    values.push(value);
  }
  const pattern = { positions, values };
  return explains(pattern, syndromes) ? pattern : undefined;
}
