// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EarClaims } from '@vouchsafe/appraise';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { GOOD, imageOf, NOW_MS, policyOf, REFERENCES, verdictOn } from './scene.ts';
import { event } from './support.ts';

const appraisalOf = ({ submods }: EarClaims) => submods.machine;

test('an affirmed boot: the vector, the image, what was used, and for how long it holds', () => {
  const ear = {
    verifier: { developer: 'https://attest.example', build: 'vouchsafe 0.1.0' },
    lifetimeMs: 600_000,
    nonce: 'AAECAwQFBgc',
    evidenceNonce: 'CAkKCwwNDg8',
  };
  const verdict = verdictOn({ input: { ear } });
  assert.deepEqual(verdict.ear, {
    eat_profile: 'tag:ietf.org,2026:rats/ear#03',
    iat: NOW_MS / 1000,
    exp: NOW_MS / 1000 + 600,
    ear_verifier_id: ear.verifier,
    eat_nonce: 'AAECAwQFBgc',
    submods: {
      machine: {
        ear_status: 'affirming',
        // No files were measured: it is the boot that is approved.
        ear_trustworthiness_vector: { 'instance-identity': 2, configuration: 2, executables: 3, hardware: 2 },
        ear_appraisal_policy_ids: [`urn:vouchsafe:policy:strict:${verdict.policy.sha256}`],
        eat_nonce: 'CAkKCwwNDg8',
        vouchsafe_image: verdict.image,
        vouchsafe_reasons: [],
        vouchsafe_references: verdict.references,
      },
    },
  });
});

test('the status is never above the worst of the vector', () => {
  const lax = policyOf('permit (principal, action, resource);');
  const verdicts = [
    verdictOn(),
    verdictOn({ references: { images: [] } }),
    verdictOn({ references: { ...REFERENCES, baselines: [] } }),
    verdictOn({ references: { ...REFERENCES, baselines: [] }, input: { policy: lax } }),
    verdictOn({ extended: [...GOOD, event(11, 'EV_IPL', 'evil')] }),
    verdictOn({
      references: { ...REFERENCES, images: [imageOf({ life: { state: 'candidate' } })] },
      input: { policy: lax },
    }),
  ];
  const order = ['affirming', 'warning', 'contraindicated'];
  for (const verdict of verdicts) {
    const { ear_status, ear_trustworthiness_vector, vouchsafe_reasons } = appraisalOf(verdict.ear);
    const worst = Math.max(...Object.values(ear_trustworthiness_vector));
    const allowed = worst >= 96 ? 2 : worst >= 32 ? 1 : 0;
    assert.equal(ear_status, verdict.status);
    assert.ok(order.indexOf(ear_status) >= allowed, `${ear_status} with ${worst}`);
    assert.equal(vouchsafe_reasons.length > 0, ear_status !== 'affirming');
  }
  assert.deepEqual(
    verdicts.map(({ status }) => status),
    ['affirming', 'contraindicated', 'contraindicated', 'warning', 'contraindicated', 'contraindicated'],
  );
});

test('names and values are those that other verifiers write', needsVectors('attestation', 'veraison__ear'), () => {
  const path = vectorPath('attestation', 'veraison__ear', 'arc', 'data', 'ear-claims-tv-ok.json');
  const theirs = JSON.parse(readFileSync(path, 'utf8')) as {
    submods: { test: Record<string, Record<string, number>> };
  };
  // The draft that they follow is an older one, with points for underscores.
  const vector = theirs.submods.test['ear.trustworthiness-vector'] ?? {};
  const ours = appraisalOf(verdictOn().ear);
  for (const [name, value] of Object.entries(ours.ear_trustworthiness_vector)) {
    assert.ok(name in vector, name);
    assert.ok(vector[name] === value || name === 'executables');
  }
  assert.deepEqual(
    ['ear.status', 'ear.trustworthiness-vector'].map((name) => name.replace(/[.-]/g, '_') in ours),
    [true, true],
  );
});
