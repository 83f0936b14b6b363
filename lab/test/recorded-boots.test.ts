// SPDX-License-Identifier: Apache-2.0
// The way of the spine without a machine: what a UKI will measure, against the log of a boot of it that was recorded.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { appraiseBoot, type BootEvidence, type BootVerdict, learnFirmware } from '@vouchsafe/appraise';
import { concatBytes, parseHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { encode } from '@vouchsafe/codec';
import { digest } from '@vouchsafe/crypto';
import type { PredictedEvent } from '@vouchsafe/manifest';
import { predictBootAttempt, predictSecureBoot, predictUki } from '@vouchsafe/measure';
import { openPe } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { encodePcrSelection, type PcrValue, signingKeyFromSpki, tpmsAttest, tpmtSignature } from '@vouchsafe/tpm';

const BANK = 'sha256';
const PCRS = Array.from({ length: 16 }, (_, pcr) => pcr);
const SELECTION = [{ bank: BANK, pcrs: PCRS }] as const;
const NONCE = utf8('of the recorded boots');
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const read = (...path: string[]): Uint8Array => Uint8Array.from(readFileSync(vectorPath('image', 'boot', ...path)));

/** What the machine would have sent: PCR values as they were read there, quoted with a key of this test. */
function evidenceOf(boot: string): BootEvidence {
  const expected = JSON.parse(Buffer.from(read('EXPECTED.json')).toString()) as Record<
    string,
    { pcr: Record<string, string> }
  >;
  const pcrs = PCRS.map(
    (pcr): PcrValue => ({ bank: BANK, pcr, value: parseHex(expected[boot]?.pcr[`${BANK}:${pcr}`] ?? '') }),
  );
  const attest = encode(tpmsAttest, {
    magic: 0xff544347,
    type: 'quote',
    qualifiedSigner: new Uint8Array(34),
    extraData: NONCE,
    clockInfo: { clock: 1n, resetCount: 1, restartCount: 0, safe: true },
    firmwareVersion: 1n,
    attested: {
      pcrSelect: SELECTION.map(encodePcrSelection),
      pcrDigest: digest(BANK, concatBytes(...pcrs.map(({ value }) => value))),
    },
  });
  const signature = {
    sigAlg: 'rsassa',
    signature: { hash: BANK, sig: Uint8Array.from(sign(BANK, attest, privateKey)) },
  } as const;
  const quote = { attest, signature: encode(tpmtSignature, signature), pcrs };
  return { quote, firmwareLog: read(boot, 'binary_bios_measurements') };
}

function appraise(boot: string, events: readonly PredictedEvent[], evidence = evidenceOf(boot)): BootVerdict {
  const key = signingKeyFromSpki(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
  return appraiseBoot(evidence, { key, selection: SELECTION, nonce: NONCE }, { bank: BANK, events });
}

const uki = (name: string, isSecureBootOn: boolean): PredictedEvent[] =>
  predictUki([BANK], openPe(memorySource(read(name), name)), { isSecureBootOn });

/** From the UKI alone; its disk is not among the vectors, so that PCR 5 is not predicted. */
const directBoot = (name: string): PredictedEvent[] => [
  ...predictBootAttempt([BANK]),
  ...uki(name, false),
  ...predictSecureBoot([BANK], { isOn: false, variables: [] }),
];

/** Codes with their PCRs, without those of PCR 5. */
const findingsOf = ({ findings }: BootVerdict): [string, number | undefined][] =>
  findings.filter(({ where }) => where.pcr !== 5).map(({ code, where }) => [code, where.pcr]);

const UNKNOWN_FIRMWARE = [0, 1, 2, 3, 6].map((pcr) => ['firmware_unknown', pcr]);

describe('recorded boots', needsVectors('image', 'boot'), () => {
  test('stub 252: each event of PCR 4, 7, 9 and 11 is expected, and PCR 10 is boot_aggregate alone', () => {
    const verdict = appraise('direct-stub252', directBoot('uki-252.39.efi'));
    assert.deepEqual(findingsOf(verdict), UNKNOWN_FIRMWARE);
    const predicted = verdict.events.filter(({ pcr }) => [4, 7, 9, 11].includes(pcr));
    assert.ok(predicted.length > 0 && predicted.every(({ judgement }) => judgement === 'expected'));
    // A PCR that nothing is known of keeps the verdict from being good.
    assert.equal(verdict.status, 'contraindicated');
    assert.deepEqual(learnFirmware(verdict, evidenceOf('direct-stub252').firmwareLog, BANK), []);
  });

  test('another UKI than the one that was booted differs in PCR 4, 9 and 11, and nowhere else', () => {
    const verdict = appraise('direct-stub252', directBoot('uki-257.13.efi'));
    const pcrs = new Set(findingsOf(verdict).flatMap(([code, pcr]) => (code === 'firmware_unknown' ? [] : [pcr])));
    assert.equal(verdict.status, 'contraindicated');
    assert.deepEqual([...pcrs].toSorted(), [11, 4, 9].toSorted());
  });

  test('a boot loader, credentials and an extension that are not the image’s show in PCR 4, 9, 12 and 13', () => {
    const verdict = appraise('sdboot252-stub252', directBoot('uki-252.39.efi'));
    const pcrs = new Set(findingsOf(verdict).flatMap(([code, pcr]) => (code === 'firmware_unknown' ? [] : [pcr])));
    assert.deepEqual([...pcrs], [4, 9, 12, 13]);
  });

  test('the log of one boot with the quote of another is refused', () => {
    const { quote } = evidenceOf('direct-stub252');
    const evidence = { quote, firmwareLog: evidenceOf('secureboot-257').firmwareLog };
    const verdict = appraise('direct-stub252', directBoot('uki-252.39.efi'), evidence);
    assert.equal(verdict.status, 'contraindicated');
    assert.ok(verdict.findings.every(({ code }) => code === 'pcr_mismatch'));
  });
});
