// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import type { FuzzTarget } from '@vouchsafe/testing';
import fc from 'fast-check';
import { target as authenticatedVariable } from '../fuzz/authenticated-variable.ts';
import { target as bootText } from '../fuzz/boot-text.ts';
import { target as peFile } from '../fuzz/pe-file.ts';
import { target as signatureList } from '../fuzz/signature-list.ts';
import { target as variableStore } from '../fuzz/variable-store.ts';

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

for (const target of [peFile, signatureList, variableStore, authenticatedVariable, bootText]) {
  test(`${target.name}: mutated input gives a coded error or a value, nothing else`, () => {
    const seeds = target.seeds();
    for (const seed of seeds) run(target, seed);
    fc.assert(
      fc.property(fc.constantFrom(...seeds), mutation, (seed, { octets, cut }) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of octets) bytes[at % Math.min(bytes.length, 600)] = value;
        run(target, cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => run(target, bytes)));
  });
}
