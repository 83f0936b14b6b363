// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { PkiError } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import fc from 'fast-check';
import { target as certificate } from '../fuzz/certificate.ts';
import { target as crl } from '../fuzz/crl.ts';
import { target as signedData } from '../fuzz/signed-data.ts';

/** Some octets overwritten, then perhaps cut short. */
const mutation = fc.record({
  octets: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  cut: fc.option(fc.nat(), { freq: 5 }),
});

function run(target: FuzzTarget, bytes: Uint8Array): void {
  try {
    target.run(bytes);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
  }
}

for (const target of [certificate, crl, signedData]) {
  test(`${target.name}: mutated input gives a PkiError or a value, nothing else`, () => {
    const seeds = target.seeds();
    for (const seed of seeds) target.run(seed);
    fc.assert(
      fc.property(fc.constantFrom(...seeds), mutation, (seed, { octets, cut }) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of octets) bytes[at % bytes.length] = value;
        run(target, cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => run(target, bytes)));
  });
}
