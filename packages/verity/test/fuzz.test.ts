// SPDX-License-Identifier: Apache-2.0
// A short run of each fuzz target; `npm run fuzz` runs them longer.
import { test } from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import type { FuzzTarget } from '@vouchsafe/testing';
import fc from 'fast-check';
import { target as codeword } from '../fuzz/codeword.ts';
import { target as fec } from '../fuzz/fec.ts';
import { target as sigPartition } from '../fuzz/sig-partition.ts';
import { target as superblock } from '../fuzz/superblock.ts';
import { target as tree } from '../fuzz/tree.ts';

/** Some octets overwritten, then perhaps cut short. */
const mutation = fc.record({
  octets: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  cut: fc.option(fc.nat(), { freq: 5 }),
});

function run(target: FuzzTarget, bytes: Uint8Array): void {
  try {
    target.run(bytes);
  } catch (error) {
    if (!isVouchsafeError(error)) throw error;
  }
}

const RUNS: [target: FuzzTarget, numRuns: number][] = [
  [superblock, 3000],
  [tree, 1500],
  [codeword, 3000],
  [fec, 1000],
  [sigPartition, 2000],
];
for (const [target, numRuns] of RUNS) {
  test(`${target.name}: mutated input gives an error of ours or a right answer`, () => {
    const seeds = target.seeds();
    for (const seed of seeds) target.run(seed.slice());
    fc.assert(
      fc.property(fc.constantFrom(...seeds), mutation, (seed, { octets, cut }) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of octets) bytes[at % bytes.length] = value;
        run(target, cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => run(target, bytes)));
  });
}
