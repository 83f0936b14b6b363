// SPDX-License-Identifier: Apache-2.0

/** The least multiple of `alignment` that is not below `n`. */
export function alignUp(n: number, alignment: number): number {
  return Math.ceil(n / alignment) * alignment;
}

/** True for 1, 2, 4, … up to 2^31. */
export function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(n) && n > 0 && n <= 0x80000000 && (n & (n - 1)) === 0;
}

/** The greatest multiple of `alignment` that is not above `n`. */
export function alignDown(n: number, alignment: number): number {
  return Math.floor(n / alignment) * alignment;
}
