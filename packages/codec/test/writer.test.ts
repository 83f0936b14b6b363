// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from '@vouchsafe/codec';
import { refused, untyped } from './support.ts';

test('a writer grows, keeps what was written, and starts anew', () => {
  const w = new Writer(1);
  w.put(Uint8Array.of(1, 2));
  w.putZeros(3);
  const at = w.reserve(2);
  w.view.setUint16(at, 0x0304);
  assert.deepEqual(w.finish(), Uint8Array.of(1, 2, 0, 0, 0, 3, 4));
  assert.deepEqual(w.finish(), new Uint8Array(0));
  w.put(Uint8Array.of(9));
  assert.deepEqual(w.finish(), Uint8Array.of(9));
});

test('a full buffer is handed over, and not written again', () => {
  const w = new Writer(2);
  w.put(Uint8Array.of(1, 2));
  const first = w.finish();
  w.put(Uint8Array.of(3, 4));
  assert.deepEqual([first, w.finish()], [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
});

test('zeros are zeros where something stood before', () => {
  const w = new Writer(4);
  w.put(Uint8Array.of(1, 2, 3));
  w.pos = 0;
  w.putZeros(2);
  assert.deepEqual(w.finish(), Uint8Array.of(0, 0));
});

test('expect makes room and moves nothing', () => {
  const w = new Writer(1);
  w.expect(100);
  assert.deepEqual([w.pos, w.capacity], [0, 100]);
});

test('a closed window takes nothing but corrections', () => {
  const w = new Writer(8);
  w.put(Uint8Array.of(1, 2));
  w.close();
  w.put(new Uint8Array(0));
  refused(() => w.put(Uint8Array.of(3)), 'invalid', '', 2);
  w.pos = 0;
  w.put(Uint8Array.of(9));
  w.pos = 2;
  assert.ok(w.closed);
  w.reopen();
  w.put(Uint8Array.of(3));
  assert.deepEqual(w.finish(), Uint8Array.of(9, 2, 3));
});

test('only bytes are put', () => {
  const w = new Writer();
  for (const x of [undefined, 'ab', [1], new Uint16Array(1), { length: 1 }])
    refused(() => w.put(untyped(x)), 'invalid', '', 0);
});
