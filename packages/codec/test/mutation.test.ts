// SPDX-License-Identifier: Apache-2.0
// Mutated inputs, the same each time; `npm run fuzz` goes on with others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMATS } from './formats.ts';
import { acceptsFaithfully } from './support.ts';

const EXECUTIONS = 20_000;

/** Whole numbers below `limit`, decided by the seed. Marsaglia, "Xorshift RNGs", Journal of Statistical Software, 2003. */
function numbersFrom(seed: number): (limit: number) => number {
  let x = seed;
  return (limit) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % limit;
  };
}

const INTERESTING = [0, 1, 2, 3, 4, 5, 8, 16, 0x7f, 0x80, 0xfe, 0xff];

function mutated(seed: Uint8Array, random: (limit: number) => number): Uint8Array {
  let input = seed.slice();
  for (let left = 1 + random(4); left > 0 && input.length > 0; left--) {
    const at = random(input.length);
    const kind = random(8);
    if (kind < 3) input[at] = (input[at] as number) ^ (1 << random(8));
    else if (kind < 6) input[at] = INTERESTING[random(INTERESTING.length)] as number;
    else if (kind === 6) input = input.slice(0, at);
    else input = Uint8Array.of(...input.subarray(0, at), random(256), ...input.subarray(at));
  }
  return input;
}

for (const { name, codec, seed } of FORMATS) {
  test(`${name}: mutated inputs are refused with a CodecError, or written back the same`, () => {
    const random = numbersFrom(0x5eed);
    let accepted = 0;
    for (let i = 0; i < EXECUTIONS / FORMATS.length; i++) {
      if (acceptsFaithfully(codec, mutated(seed, random))) accepted++;
    }
    // Were nearly all of one kind, the other half of the claim would not have been tried.
    assert.ok(accepted > 50 && accepted < EXECUTIONS / FORMATS.length - 50, `${accepted} accepted`);
  });
}
