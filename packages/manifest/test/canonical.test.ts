// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUtf8 } from '@vouchsafe/base';
import { canonicalJson } from '@vouchsafe/manifest';
import fc from 'fast-check';

const text = (value: unknown): string => parseUtf8(canonicalJson(value));

test('names are sorted as RFC 8785 has it, by UTF-16 code units', () => {
  // RFC 8785, 3.2.3: the example, with the numbers that manifests have.
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
  assert.deepEqual(Object.values(JSON.parse(text(value))), [4, 2, 6, 7, 1, 5, 3]);
  assert.equal(
    text({ b: [1, { d: true, c: 'x' }], a: '\u20ac$\u000f\nA\'"\\' }),
    '{"a":"€$\\u000f\\nA\'\\"\\\\","b":[1,{"c":"x","d":true}]}',
  );
});

test('what has no form that all readers agree on is refused', () => {
  for (const value of [1.5, -0, 2 ** 53, Number.NaN, null, undefined, 1n, '\ud800', { '\udc00': 1 }, [undefined]]) {
    assert.throws(() => canonicalJson(value), { code: 'manifest_malformed' });
  }
  assert.equal(text({ a: undefined, b: -1 }), '{"b":-1}');
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.boolean(),
    fc.array(tie('value')),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value')),
  ),
})).value;

test('canonical bytes are JSON of the same value, and canonical again', () => {
  fc.assert(
    fc.property(json, (value) => {
      const once = canonicalJson(value);
      const again = JSON.parse(parseUtf8(once)) as unknown;
      assert.deepEqual(canonicalJson(again), once);
    }),
  );
});
