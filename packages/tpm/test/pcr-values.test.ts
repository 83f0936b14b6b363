// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PcrValue, selectPcrValues } from '@vouchsafe/tpm';

test('more values than there can be PCRs are refused as evidence, not as a mistake of the verifier', () => {
  const value = new Uint8Array(32);
  const values = Array.from({ length: 513 }, (_, pcr): PcrValue => ({ bank: 'sha256', pcr, value }));
  assert.throws(() => selectPcrValues([{ bank: 'sha256', pcrs: [0] }], values), { code: 'pcr_value_repeated' });
  assert.equal(selectPcrValues([{ bank: 'sha256', pcrs: [0] }], values.slice(0, 512)).length, 1);
});
