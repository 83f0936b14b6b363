// SPDX-License-Identifier: Apache-2.0

/** The order of a SET OF: as octet strings, the shorter padded with zeros. X.690, 11.6. */
export function compareSetElements(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
