// SPDX-License-Identifier: Apache-2.0
// internal: how messages show values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { show } from '../src/show.ts';

test('values as messages show them', () => {
  const rows: [unknown, string][] = [
    [255, '0xff'],
    [255n, '0xff'],
    [-1, '-1'],
    [0.5, '0.5'],
    [NaN, 'NaN'],
    ['a', "'a'"],
    [Uint8Array.of(1, 255), '01ff'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Object.create(null), 'an object'],
    [[1], 'an array'],
    [show, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
  ];
  for (const [value, text] of rows) assert.equal(show(value), text);
  assert.equal(show(new Uint8Array(33)), `${'00'.repeat(32)}… (33 bytes)`);
});

test('it never throws, and is short but for numbers', () => {
  fc.assert(fc.property(fc.anything({ withNullPrototype: true, withTypedArray: true }), (x) => show(x).length < 400));
});
