// SPDX-License-Identifier: Apache-2.0
import { emptyRoot, hashNode } from './hash.ts';

/** The root of a whole tree that is in memory, by the hashes of its leaves. RFC 6962, 2.1. */
export function rootOfHashes(hashes: readonly Uint8Array[], from = 0, to = hashes.length): Uint8Array {
  if (to <= from) return emptyRoot();
  if (to - from === 1) return hashes[from] as Uint8Array;
  const middle = from + largestPowerBelow(to - from);
  return hashNode(rootOfHashes(hashes, from, middle), rootOfHashes(hashes, middle, to));
}

/** The largest power of two below a number above 1: where RFC 6962, 2.1, divides so many leaves. */
export function largestPowerBelow(value: number): number {
  let power = 1;
  while (power * 2 < value) power *= 2;
  return power;
}
