// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '@vouchsafe/appraise';
import fc from 'fast-check';

/** Of the Version Format Specification's examples, ascending. */
const ASCENDING = [
  '0',
  '0.9',
  '1~rc1',
  '1',
  '1.0',
  '1.1',
  '1.10',
  '2',
  '10',
  '11α',
  '11.0',
  '122.1',
  '123~rc1-1',
  '123',
  '123-a',
  '123-a.1',
  '123-1',
  '123-1.1',
  '123^post1',
  '123.a-1',
  '123.1-1',
  '123a-1',
  '124-1',
];

test('versions are in the order of the specification', () => {
  for (let i = 0; i + 1 < ASCENDING.length; i++) {
    const [a, b] = [ASCENDING[i] as string, ASCENDING[i + 1] as string];
    const order = compareVersions(a, b);
    assert.ok(order <= 0, `${a} < ${b}`);
    assert.ok(compareVersions(b, a) >= 0, `${b} > ${a}`);
  }
  assert.equal(compareVersions('01.002', '1.2'), 0);
  assert.ok(compareVersions('1.9', '1.10') < 0);
});

test('any two texts have an order, and the same the other way round', () => {
  const version = fc.string({ unit: fc.constantFrom(...'0129aZ~-^.$ä'), maxLength: 12 });
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0);
      assert.equal(compareVersions(a, a), 0);
    }),
  );
});
