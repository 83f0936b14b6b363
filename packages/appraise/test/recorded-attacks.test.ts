// SPDX-License-Identifier: Apache-2.0
// A real boot, recorded: what it comes to, and what is forged from it. See testdata/PROVENANCE.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  appraise,
  type EvidenceBundle,
  inputOf,
  parseBundle,
  prepareReferences,
  type Verdict,
} from '@vouchsafe/appraise';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { decodeImaBinaryLog, decodeTcgLog } from '@vouchsafe/eventlog';
import { codesOf, STRICT } from './scene.ts';

const BUNDLE = parseBundle(Uint8Array.from(readFileSync(new URL('../testdata/boot-with-ima.json', import.meta.url))));
const FIRMWARE = BUNDLE.evidence.logs.firmware.bytes as Uint8Array;
const IMA = BUNDLE.evidence.logs.ima?.bytes as Uint8Array;

const verdictOn = (bundle: EvidenceBundle = BUNDLE): Verdict =>
  appraise({ ...inputOf(bundle), references: prepareReferences(bundle.references), policy: STRICT });

const withLogs = (logs: Partial<EvidenceBundle['evidence']['logs']>): EvidenceBundle => ({
  ...BUNDLE,
  evidence: { ...BUNDLE.evidence, logs: { ...BUNDLE.evidence.logs, ...logs } },
});
const firmware = (bytes: Uint8Array): EvidenceBundle => withLogs({ firmware: { sha256: '', bytes } });

test('the boot is affirmed: image, firmware, Secure Boot, files, the verity device', () => {
  const verdict = verdictOn();
  assert.deepEqual([verdict.status, verdict.findings], ['affirming', []]);
  const { image, firmware: known, secureBoot, runtime } = verdict.facts;
  assert.deepEqual([image.name, image.version, known.isKnown, secureBoot.isOn], ['lab', '1.2.3', true, true]);
  assert.deepEqual([runtime.isAggregateGood, runtime.verityDevices, runtime.unknownFiles], [true, 1, 0]);
  assert.ok(runtime.entries > 20);
  assert.deepEqual(verdict.ear.submods.machine.ear_trustworthiness_vector, {
    ...{ 'instance-identity': 2, configuration: 2, executables: 2, 'file-system': 2, hardware: 2 },
  });
});

test('A12, A20: each event that is left out, or told twice, is refused', () => {
  const { events } = decodeTcgLog(FIRMWARE);
  for (const [i, { offset, type }] of events.entries()) {
    // The header, without which there is no log, and what is not measured.
    if (i === 0 || type === 'EV_NO_ACTION') continue;
    const end = events[i + 1]?.offset ?? FIRMWARE.length;
    const [before, one, after] = [FIRMWARE.subarray(0, offset), FIRMWARE.subarray(offset, end), FIRMWARE.subarray(end)];
    for (const forged of [concatBytes(before, after), concatBytes(before, one, one, after)]) {
      const verdict = verdictOn(firmware(forged));
      assert.equal(verdict.status, 'contraindicated', `event ${i}`);
      assert.ok(
        codesOf(verdict).includes('pcr_mismatch') || codesOf(verdict).includes('pcr_unpredicted'),
        `event ${i}`,
      );
    }
  }
});

test('A38, A39, A42: each entry of IMA’s list that is left out or moved is refused', () => {
  const { events } = decodeImaBinaryLog(IMA);
  for (const { offset, endOffset, index } of events) {
    const forged = concatBytes(IMA.subarray(0, offset), IMA.subarray(endOffset));
    const verdict = verdictOn(withLogs({ ima: { offset: 0, bytes: forged } }));
    assert.deepEqual([verdict.status, codesOf(verdict)[0]], ['contraindicated', 'ima_mismatch'], `entry ${index}`);
  }
  const later = verdictOn(withLogs({ ima: { offset: 0, bytes: concatBytes(IMA, IMA) } }));
  assert.equal(later.status, 'affirming', 'what is behind the quoted part is not looked at');
});

test('A24, A26: an image whose manifest is of other keys, or of another state of Secure Boot, is not this boot’s', () => {
  const [image] = BUNDLE.references.images;
  assert.ok(image);
  const { manifest } = image.manifest;
  const off = { ...manifest, boots: manifest.boots.filter(({ condition }) => condition.secureBoot === 'off') };
  const references = {
    ...BUNDLE.references,
    images: [{ ...image, manifest: { manifest: off, bytes: image.manifest.bytes } }],
  };
  const verdict = verdictOn({ ...BUNDLE, references });
  assert.ok(codesOf(verdict).includes('image_unknown'));
  assert.ok(
    verdict.findings.some(({ hint }) => /Secure Boot is on/.test(hint)),
    JSON.stringify(verdict.findings, null, 1),
  );
});

test('a tampered root is not measured by the firmware, and named by the device that was set up', () => {
  const [image] = BUNDLE.references.images;
  assert.ok(image);
  const { manifest } = image.manifest;
  const roots = manifest.roots.map((root) => ({ ...root, rootHash: 'ab'.repeat(32) }));
  const references = {
    ...BUNDLE.references,
    images: [{ ...image, manifest: { manifest: { ...manifest, roots }, bytes: image.manifest.bytes } }],
  };
  const verdict = verdictOn({ ...BUNDLE, references });
  assert.deepEqual(codesOf(verdict), ['verity_root', 'policy_denied']);
});

test('A41: a file of the image that is not in its list is named', () => {
  const [image] = BUNDLE.references.images;
  assert.ok(image?.fileLists);
  const fileLists = image.fileLists.map((list) => ({
    ...list,
    files: list.files.filter(({ path }) => !path.endsWith('/tpm2')),
  }));
  const verdict = verdictOn({ ...BUNDLE, references: { ...BUNDLE.references, images: [{ ...image, fileLists }] } });
  const unknown = verdict.findings.filter(({ code }) => code === 'ima_file_unknown').map(({ where }) => where.path);
  assert.deepEqual([verdict.status, unknown], ['contraindicated', ['/bin/tpm2']]);
});

test('every octet of the quote and its signature counts', () => {
  const { quote } = BUNDLE.evidence;
  for (const name of ['attest', 'signature'] as const) {
    for (let at = 0; at < quote[name].length; at++) {
      const changed = quote[name].slice();
      changed[at] = (changed[at] as number) ^ 0x40;
      const verdict = verdictOn({ ...BUNDLE, evidence: { ...BUNDLE.evidence, quote: { ...quote, [name]: changed } } });
      assert.deepEqual([verdict.status, verdict.isAuthentic], ['contraindicated', false], `${name} ${at}`);
    }
  }
  assert.ok(!bytesEqual(quote.attest, quote.signature));
});
