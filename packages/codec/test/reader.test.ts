// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader } from '@vouchsafe/codec';
import { refused, untyped } from './support.ts';

test('take: inside the window, forwards, whole', () => {
  const r = new Reader(Uint8Array.of(1, 2, 3, 4));
  assert.equal(r.take(1), 0);
  r.end = 3;
  assert.equal(r.take(0), 1);
  assert.equal(r.take(2), 1);
  for (const n of [1, -1, NaN, Infinity, -Infinity, untyped(undefined)]) refused(() => r.take(n), 'truncated', '', 3);
  assert.equal(r.pos, 3, 'a refusal moves nothing');
  assert.doesNotThrow(() => r.finish());
});

test('takeBytes: a view; finish: all of it', () => {
  const input = Uint8Array.of(1, 2, 3);
  const r = new Reader(input);
  const view = r.takeBytes(2);
  assert.deepEqual([view.buffer, view.byteOffset, view.length], [input.buffer, 0, 2]);
  refused(() => r.finish(), 'trailing_bytes', '', 2);
  refused(() => r.takeBytes(2), 'truncated', '', 2);
});
