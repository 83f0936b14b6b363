// SPDX-License-Identifier: Apache-2.0
// internal: the two encodings of ECDSA signatures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { derEcdsaSignature, rawEcdsaSignature } from '../src/ecdsa-signature.ts';

test('r || s to DER and back, for each curve, with leading zeros and high bits', () => {
  for (const sizeBytes of [32, 48, 66]) {
    const number = fc
      .tuple(fc.nat(sizeBytes - 1), fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }))
      .map(([zeros, octets]) => octets.fill(0, 0, zeros).fill(1, sizeBytes - 1));
    fc.assert(
      fc.property(number, number, (r, s) => {
        const raw = Uint8Array.from([...r, ...s]);
        assert.deepEqual(rawEcdsaSignature(derEcdsaSignature(raw), 'der', sizeBytes), raw);
      }),
    );
  }
  assert.deepEqual(derEcdsaSignature(Uint8Array.of(0, 1, 0x80, 0)), Uint8Array.of(0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0));
});
