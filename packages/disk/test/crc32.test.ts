// SPDX-License-Identifier: Apache-2.0
// Internal: crc32.ts, align.ts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { alignUp, isPowerOfTwo } from '../src/align.ts';
import { crc32, crc32cRaw } from '../src/crc32.ts';
import { bytesOf } from './support.ts';

test('the check values of both checksums, of "123456789"', () => {
  assert.equal(crc32(bytesOf('123456789')), 0xcbf43926);
  // The catalogue's value has the final exclusive or, which the kernel's function leaves out.
  assert.equal(crc32cRaw(bytesOf('123456789')), (0xe3069283 ^ 0xffffffff) >>> 0);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('alignment and powers of two', () => {
  assert.deepEqual(
    [0, 1, 4096, 4097].map((n) => alignUp(n, 4096)),
    [0, 4096, 4096, 8192],
  );
  assert.deepEqual([0, 1, 2, 3, 0.5, -2, 2 ** 31, 2 ** 32].map(isPowerOfTwo), [
    false,
    true,
    true,
    false,
    false,
    false,
    true,
    false,
  ]);
});
