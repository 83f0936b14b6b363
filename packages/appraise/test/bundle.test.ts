// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appraise,
  type EvidenceBundle,
  encodeBundle,
  inputOf,
  parseBundle,
  prepareReferences,
  UNKNOWN_IDENTITY,
} from '@vouchsafe/appraise';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { FILES, listOf, pcr10After, USED, withPcr } from './made-ima.ts';
import { baselineOf, evidenceOf, GOOD, imageOf, NOW_MS, STRICT } from './scene.ts';
import { expectationOf, KEY_SPKI, pcrsAfter, quoteOver, selectionOf } from './support.ts';

const quote = quoteOver(selectionOf('sha256'), withPcr(pcrsAfter(GOOD), 10, pcr10After(USED)));
const { selection, nonce } = expectationOf();
const BUNDLE: EvidenceBundle = {
  atMs: NOW_MS,
  evidence: { quote, logs: { ...evidenceOf({}).logs, ima: { offset: 0, bytes: listOf(USED) } } },
  expected: { key: KEY_SPKI, selection, nonce },
  machine: 'edge-7',
  identity: { ...UNKNOWN_IDENTITY, isEkTrusted: true, labels: ['rack 4'] },
  pinnedSystem: { bank: 'sha256', value: '00'.repeat(32) },
  references: {
    images: [imageOf({ files: FILES, life: { state: 'retiring', untilMs: NOW_MS + 1 } })],
    baselines: [baselineOf()],
    versionFloors: { edge: '1.2' },
    revocations: { programs: ['ab'.repeat(32)], sbatLevel: '2024040900' },
  },
};

const verdictOn = (bundle: EvidenceBundle) =>
  appraise({ ...inputOf(bundle), references: prepareReferences(bundle.references), policy: STRICT });

test('a bundle comes back as it was, and to the same verdict', () => {
  const bytes = encodeBundle(BUNDLE);
  const again = parseBundle(bytes);
  assert.deepEqual(encodeBundle(again), bytes);
  assert.equal(verdictOn(BUNDLE).status, 'affirming');
  assert.deepEqual(verdictOn(again), verdictOn(BUNDLE));
});

test('only whole logs can be kept', () => {
  const { logs } = BUNDLE.evidence;
  const parts = [
    { ...logs, firmware: { sha256: logs.firmware.sha256 } },
    { ...logs, ima: { offset: 10, bytes: listOf(USED) } },
  ];
  for (const part of parts) {
    assert.throws(() => encodeBundle({ ...BUNDLE, evidence: { quote, logs: part } }), { code: 'bundle_malformed' });
  }
});

test('what is no bundle is refused with the place', () => {
  const text = parseUtf8(encodeBundle(BUNDLE));
  const document = JSON.parse(text) as Record<string, unknown>;
  const changed: unknown[] = [
    null,
    [],
    { ...document, format: { name: 'vouchsafe-evidence', major: 2 } },
    { ...document, more: 1 },
    ...Object.keys(document)
      .filter((key) => key !== 'machine' && key !== 'pinnedSystem')
      .map((key) => ({ ...document, [key]: undefined })),
    { ...document, expected: { ...(document['expected'] as object), key: 'AAAA' } },
    { ...document, evidence: { ...(document['evidence'] as object), attest: '!' } },
    { ...document, atMs: -1 },
  ];
  for (const one of changed) {
    assert.throws(
      () => parseBundle(utf8(JSON.stringify(one))),
      { code: 'bundle_malformed' },
      JSON.stringify(one).slice(0, 80),
    );
  }
  for (let length = 0; length < text.length; length += 997) {
    assert.throws(() => parseBundle(utf8(text.slice(0, length))), { code: 'bundle_malformed' });
  }
  assert.throws(() => parseBundle(Uint8Array.of(0xff, 0xfe)), { code: 'bundle_malformed' });
});
