// SPDX-License-Identifier: Apache-2.0

/** Negative, zero or positive, octet by octet; a prefix comes before what it begins. strcmp(3)'s order. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
