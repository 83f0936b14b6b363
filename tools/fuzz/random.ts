// SPDX-License-Identifier: Apache-2.0

/** A whole number from 0 to `limit` - 1. */
export type Random = (limit: number) => number;

/**
 * Numbers that a seed decides: a Weyl sequence through the finaliser of MurmurHash3, which is SplitMix (Steele, Lea and
 * Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014) with 32 bits. It spreads mutations; it is good
 * for nothing else.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) % limit;
  };
}
