// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import fc from 'fast-check';
import { target as responses } from '../fuzz/responses.ts';
import { target as sealed } from '../fuzz/sealed.ts';
import { target as structures } from '../fuzz/structures.ts';

for (const target of [structures, responses, sealed]) {
  test(`${target.name}: mutated input decodes and is written back, or is an error of ours`, () => {
    const seeds = target.seeds();
    for (const seed of seeds) target.run(seed);
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), changes, fc.option(fc.nat(), { freq: 5 }), (seed, octets, cut) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of octets) bytes[at % bytes.length] = value;
        target.run(cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 1500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => target.run(bytes)));
  });
}
