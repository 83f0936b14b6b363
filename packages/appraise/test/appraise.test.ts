// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesOf, verdictOn } from './scene.ts';

test('a boot of an active image on a known firmware under Secure Boot is affirmed', () => {
  const verdict = verdictOn();
  assert.deepEqual(codesOf(verdict), []);
  assert.equal(verdict.status, 'affirming');
  assert.deepEqual([verdict.isTrusted, verdict.isAuthentic, verdict.image?.version], [true, true, '1.4.0']);
  assert.deepEqual(verdict.decision.decidedBy, ['strict']);
  assert.deepEqual(
    verdict.references.map(({ name }) => name),
    ['edge 1.4.0', 'workshop firmware 1'],
  );
  assert.ok(verdict.events.length > 0 && verdict.events.every(({ judgement }) => judgement === 'expected'));
});
