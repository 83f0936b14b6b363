// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import fc from 'fast-check';
import { target } from '../fuzz/appraisal.ts';

test('A53: mutated logs that the quote vouches for give a verdict, and never an exception', () => {
  const seeds = target.seeds();
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), changes, fc.option(fc.nat(), { freq: 5 }), (seed, octets, cut) => {
      const bytes = Uint8Array.from(seed);
      for (const [at, value] of octets) bytes[1 + (at % (bytes.length - 1))] = value;
      target.run(cut === null ? bytes : bytes.subarray(0, 1 + (cut % bytes.length)));
    }),
    { numRuns: 150 },
  );
});
