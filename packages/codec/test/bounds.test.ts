// SPDX-License-Identifier: Apache-2.0
// internal: the checks that sizes, counts and limits share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countIn, requireCounted, requireDeclared, requireWithin } from '../src/bounds.ts';
import { refused } from './support.ts';

const scopeOf = (n: unknown) => ({ get: (name: string): unknown => (name === 'n' ? n : undefined) });

test('requireWithin: each bound and one beside it', () => {
  for (const n of [0, 1, 7, 8]) requireWithin('size', n, 8, 5);
  refused(() => requireWithin('size', 9, 8, 5), 'limit', '', 5);
  for (const n of [-1, 0.5, NaN, Infinity, 2 ** 53]) refused(() => requireWithin('size', n, 8, 5), 'invalid', '', 5);
});

test('countIn: numbers and 64-bit numbers up to the limit, nothing else', () => {
  for (const n of [0, 8, 0n, 8n]) assert.equal(countIn(scopeOf(n), 'n', 8, 5), Number(n));
  for (const n of [9, 9n, 2n ** 64n - 1n]) refused(() => countIn(scopeOf(n), 'n', 8, 5), 'limit', '', 5);
  for (const n of [undefined, '1', true, NaN, -1, {}]) refused(() => countIn(scopeOf(n), 'n', 8, 5), 'invalid', '', 5);
  refused(() => countIn(scopeOf(1), 'm', 8, 5), 'invalid', '', 5);
});

test('requireCounted: what is written is what was said', () => {
  requireCounted(scopeOf(3), 'n', 'items', 3, 5);
  requireCounted(scopeOf(3n), 'n', 'items', 3, 5);
  for (const n of [2, 2n, undefined, '3'])
    refused(() => requireCounted(scopeOf(n), 'n', 'items', 3, 5), 'invalid', '', 5);
});

test('requireDeclared: a whole number, and not less than the least', () => {
  requireDeclared('x', 0);
  requireDeclared('x', 1, 1);
  for (const n of [-1, 0.5, NaN, Infinity]) assert.throws(() => requireDeclared('x', n), /expected a whole number/);
  assert.throws(() => requireDeclared('x', 0, 1), /at least 1/);
});
