// SPDX-License-Identifier: Apache-2.0
// A boot of a real firmware, with a quote of tpm2-tools: QEMU, OVMF, swtpm; see the vectors' MANIFEST.tsv.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appraiseBoot, type BootEvidence, type BootReference } from '@vouchsafe/appraise';
import { parseUtf8 } from '@vouchsafe/base';
import { needsVectors } from '@vouchsafe/testing';
import { type PcrValue, type QuoteExpectation, signingKeyFromSpki } from '@vouchsafe/tpm';
import { codesOf, predictionOfLog, readVector } from './support.ts';

const RECORDED = needsVectors('boot', 'quote', 'full-ima');
const FOLDER = ['boot', 'quote', 'full-ima'] as const;

/**
 * What `tpm2_quote -o` writes: C structures as they lie in memory. Behind a TPML_PCR_SELECTION of 132 octets a count of
 * TPML_DIGEST, each a count and 8 of 66 octets: length, value.
 */
function pcrValues(): PcrValue[] {
  const file = readVector(...FOLDER, 'quote.pcrs');
  return Array.from({ length: 16 }, (_, pcr) => {
    const at = 136 + 532 * (pcr >> 3) + 4 + 66 * (pcr & 7) + 2;
    return { bank: 'sha256', pcr, value: file.subarray(at, at + 32) };
  });
}

function evidence(): BootEvidence {
  const [attest, signature] = [readVector(...FOLDER, 'quote.msg'), readVector(...FOLDER, 'quote.sig')];
  return { quote: { attest, signature, pcrs: pcrValues() }, firmwareLog: readVector('boot', 'evlog', 'full-ima.bin') };
}

function expectation(): QuoteExpectation {
  const pem = parseUtf8(readVector(...FOLDER, 'ak.pem')).replace(/-----[^-]+-----|\s/g, '');
  const pcrs = Array.from({ length: 16 }, (_, pcr) => pcr);
  const key = signingKeyFromSpki(Uint8Array.from(Buffer.from(pem, 'base64')));
  return { key, selection: [{ bank: 'sha256', pcrs }], nonce: readVector(...FOLDER, 'nonce.bin') };
}

const referenceOf = (isIncluded: (pcr: number) => boolean): BootReference => ({
  bank: 'sha256',
  events: predictionOfLog(readVector('boot', 'evlog', 'full-ima.bin'), 'sha256', isIncluded),
});

test(
  'a real boot holds; what nothing is known of, the files that IMA measured, keeps it from being affirmed',
  RECORDED,
  () => {
    const verdict = appraiseBoot(
      evidence(),
      expectation(),
      referenceOf(() => true),
    );
    assert.deepEqual([verdict.status, codesOf(verdict)], ['warning', ['ima_unappraised']]);
    assert.ok(verdict.events.every(({ judgement }) => judgement === 'expected'));
    const image = appraiseBoot(
      evidence(),
      expectation(),
      referenceOf((pcr) => [4, 5, 7, 9, 11].includes(pcr)),
    );
    assert.deepEqual(codesOf(image), ['firmware_unknown', 'ima_unappraised']);
  },
);

test('a reference of an image that lacks a PCR of the boot is refused', RECORDED, () => {
  for (const left of [4, 5, 7, 9, 11]) {
    const verdict = appraiseBoot(
      evidence(),
      expectation(),
      referenceOf((pcr) => pcr !== left),
    );
    assert.equal(verdict.status, 'contraindicated', `without PCR ${left}`);
    assert.ok(verdict.findings.every(({ code, where }) => code === 'ima_unappraised' || where.pcr === left));
  }
});

test('every octet of a digest in the log counts', RECORDED, () => {
  const good = evidence();
  const reference = referenceOf(() => true);
  for (const { digests } of reference.events) {
    const at = Buffer.from(good.firmwareLog).indexOf(digests.get('sha256') ?? new Uint8Array(1));
    const firmwareLog = good.firmwareLog.slice();
    firmwareLog[at + 31] = (firmwareLog[at + 31] as number) ^ 1;
    const verdict = appraiseBoot({ ...good, firmwareLog }, expectation(), reference);
    assert.equal(verdict.status, 'contraindicated');
    assert.ok(codesOf(verdict).includes('pcr_mismatch'));
  }
});
