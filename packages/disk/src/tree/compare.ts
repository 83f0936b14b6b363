// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';

/** Negative, zero or positive, octet by octet; a prefix comes before what it begins. strcmp(3)'s order. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Sorts texts, or what has them, by the octets of their UTF-8: `compareBytes` of all without encoding any. */
export function sortByOctets<T>(items: T[], textOf: (item: T) => string): void {
  // UTF-16, by which texts are compared here, has the order of code points, and so that of UTF-8, but for what it takes two units for.
  if (items.every((item) => !SURROGATE.test(textOf(item)))) {
    items.sort((a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) === textOf(b) ? 0 : 1));
    return;
  }
  const octets = new Map(items.map((item) => [item, utf8(textOf(item))] as const));
  items.sort((a, b) => compareBytes(octets.get(a) as Uint8Array, octets.get(b) as Uint8Array));
}
