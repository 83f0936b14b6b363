// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import fc from 'fast-check';

test('bytesEqual: same length and same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      assert.equal(bytesEqual(a, b), Buffer.compare(a, b) === 0);
      assert.ok(bytesEqual(a, a.slice()));
    }),
  );
  const bytes = Uint8Array.of(1, 2, 3);
  for (let i = 0; i < bytes.length; i++) assert.ok(!bytesEqual(bytes, bytes.with(i, 9)));
  assert.ok(!bytesEqual(bytes, Uint8Array.of(1, 2)) && !bytesEqual(Uint8Array.of(1, 2), bytes));
  assert.ok(bytesEqual(new Uint8Array(0), new Uint8Array(0)));
});

test('concatBytes: the parts end to end, in an array of its own', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      assert.deepEqual(concatBytes(...parts), new Uint8Array(Buffer.concat(parts)));
    }),
  );
  const part = Uint8Array.of(1);
  const whole = concatBytes(part);
  part[0] = 2;
  assert.deepEqual(whole, Uint8Array.of(1));
  assert.deepEqual(concatBytes(), new Uint8Array(0));
});
