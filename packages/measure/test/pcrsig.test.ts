// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isVouchsafeError, parseUtf8, toHex } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import {
  checkPcrSignatures,
  DEFAULT_PHASES,
  formatPcrSignatures,
  type Pcr11Value,
  parsePcrSignatures,
  pcrKeyFingerprint,
  predictPcr11,
  signPcrPolicies,
} from '@vouchsafe/measure';
import { type PeFile, readSmallSection } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';
import { needsVectors } from '@vouchsafe/testing';
import fc from 'fast-check';
import { madeUki } from './made-uki.ts';
import { BANKS, basicSections, fullSections, openVector, signersOf, textOf } from './support.ts';

const UKIS = needsVectors('image', 'uki');
const SHUTDOWN = 'enter-initrd:leave-initrd:sysinit:ready:shutdown';

async function spkiOf(key: string): Promise<Uint8Array> {
  const signer = (await signersOf(key)).get('sha256');
  assert.ok(signer);
  return signer.spki;
}

for (const [vector, stub, sections, banks, phases] of [
  ['sign-basic.252', 252, basicSections, ['sha256'], DEFAULT_PHASES],
  // The same stub with .uname and .sbat, which it does not measure and ukify signs.
  ['sign-basic.252', 252, fullSections, ['sha256'], DEFAULT_PHASES],
  ['sign-basic.257', 257, basicSections, ['sha256'], DEFAULT_PHASES],
  ['sign-initrd-only.257', 257, basicSections, ['sha256'], ['enter-initrd']],
  ['sign-all-banks.257', 257, basicSections, BANKS, DEFAULT_PHASES],
  ['sign-full.257', 257, fullSections, ['sha256'], DEFAULT_PHASES],
] as const) {
  test(`${vector}, octet for octet, from ${sections.name}`, UKIS, async () => {
    const values = predictPcr11(madeUki(stub, sections()), { banks, phases });
    const signatures = await signPcrPolicies(values, await signersOf('pcr'));
    assert.equal(formatPcrSignatures(signatures, 'pretty'), textOf('uki', 'measure', `${vector}.json`));
    assert.deepEqual(parsePcrSignatures(formatPcrSignatures(signatures)), signatures);
    const report = checkPcrSignatures(signatures, { artefact: 'UKI', spki: await spkiOf('pcr'), expected: values });
    assert.deepEqual(report, { findings: [], matched: values });
  });
}

test('sign-append.257: signatures of a second key behind those of the first', UKIS, async () => {
  const uki = madeUki(257, basicSections());
  const banks = ['sha256'] as const;
  const signatures = [
    ...(await signPcrPolicies(predictPcr11(uki, { banks }), await signersOf('pcr'))),
    ...(await signPcrPolicies(predictPcr11(uki, { banks, phases: ['enter-initrd'] }), await signersOf('pcr2'))),
  ];
  assert.equal(formatPcrSignatures(signatures, 'pretty'), textOf('uki', 'measure', 'sign-append.257.json'));
});

const embedded = (uki: PeFile): string => parseUtf8(readSmallSection(uki, '.pcrsig') ?? new Uint8Array());

test('the .pcrsig that ukify embeds for stub 257 is the one we make', UKIS, async () => {
  const uki = openVector('uki', 'out', 'pcrsig-stub257.ukify257.efi');
  const expected = predictPcr11(uki, { banks: ['sha256'] });
  assert.equal(formatPcrSignatures(await signPcrPolicies(expected, await signersOf('pcr'))), embedded(uki));
});

test('each profile of a UKI has its own policies', UKIS, async () => {
  const uki = openVector('uki', 'out', 'multiprofile.ukify257.efi');
  const sections = uki.sections.filter(({ name }) => name === '.pcrsig');
  assert.equal(sections.length, 2);
  for (const [profile, section] of sections.entries()) {
    const only = { ...uki, sections: [section] };
    const expected = predictPcr11(uki, { banks: ['sha256'], profile });
    assert.equal(formatPcrSignatures(await signPcrPolicies(expected, await signersOf('pcr'))), embedded(only));
    const others = predictPcr11(uki, { banks: ['sha256'], profile: 1 - profile });
    const check = { artefact: 'UKI', spki: await spkiOf('pcr'), expected: others };
    const codes = checkPcrSignatures(parsePcrSignatures(embedded(only)), check).findings.map(({ code }) => code);
    assert.deepEqual([...new Set(codes)], ['pcrsig_policy_unknown', 'pcrsig_phase_missing']);
  }
});

test("ukify's .pcrsig for stub 252 fits no phase of it, one for 257 does", needsVectors('image', 'boot'), async () => {
  const spki = await spkiOf('pcr');
  const codes = (name: string): string[] => {
    const uki = openVector('boot', name);
    const expected = predictPcr11(uki, { banks: ['sha256'] });
    const { findings } = checkPcrSignatures(parsePcrSignatures(embedded(uki)), { artefact: name, spki, expected });
    return findings.map(({ code }) => code);
  };
  assert.deepEqual(codes('uki-257.13.efi'), []);
  assert.deepEqual(codes('uki-252.39.efi'), [
    ...Array<string>(4).fill('pcrsig_policy_unknown'),
    ...Array<string>(4).fill('pcrsig_phase_missing'),
  ]);
});

test('findings: other key, bad signature, other PCRs, unexpected, missing and repeated phases', UKIS, async () => {
  const uki = madeUki(257, basicSections());
  const spki = await spkiOf('pcr');
  const [initrd, later] = predictPcr11(uki, { banks: ['sha256'] });
  assert.ok(initrd && later);
  const [sound, tooMuch] = await signPcrPolicies([initrd, later], await signersOf('pcr'));
  const [foreign] = await signPcrPolicies([initrd], await signersOf('pcr2'));
  assert.ok(sound && tooMuch && foreign);
  const codes = (signatures: Parameters<typeof checkPcrSignatures>[0], known: readonly Pcr11Value[] = []): string[] =>
    checkPcrSignatures(signatures, { artefact: 'UKI', spki, expected: [initrd], known }).findings.map(
      ({ code }) => code,
    );
  assert.deepEqual(codes([sound]), []);
  assert.deepEqual(codes([]), ['pcrsig_phase_missing']);
  assert.deepEqual(codes([foreign]), ['pcrsig_key_other']);
  // Says that it is the key's, and is not.
  assert.deepEqual(codes([{ ...foreign, keyFingerprint: sound.keyFingerprint }]), ['pcrsig_signature_bad']);
  assert.deepEqual(codes([{ ...sound, signature: tooMuch.signature }]), ['pcrsig_signature_bad']);
  assert.deepEqual(codes([{ ...sound, pcrs: [7, 11] }]), ['pcrsig_pcrs_other']);
  assert.deepEqual(codes([sound, sound]), ['pcrsig_repeated']);
  // A policy for a later phase, which would open then what the initrd alone may open.
  assert.deepEqual(codes([sound, tooMuch], [later]), ['pcrsig_phase_unexpected']);
  assert.deepEqual(codes([sound, tooMuch]), ['pcrsig_policy_unknown']);
  const [named] = checkPcrSignatures([sound, tooMuch], {
    artefact: 'UKI',
    spki,
    expected: [initrd],
    known: [later],
  }).findings;
  assert.equal(named?.actual, 'enter-initrd:leave-initrd');
  assert.equal(named?.where.path, 'sha256[1]');
  // The hash of the signature is the bank's, so an entry moved to another bank does not hold.
  assert.deepEqual(codes([{ ...sound, bank: 'sha1' }]), [
    'pcrsig_signature_bad',
    'pcrsig_policy_unknown',
    'pcrsig_phase_missing',
  ]);
});

test('signers of another scheme, of no bank, or of two keys are refused', UKIS, async () => {
  const values = predictPcr11(madeUki(257, basicSections()), { banks: ['sha1', 'sha256'], phases: [SHUTDOWN] });
  const [pcr, pcr2] = [await signersOf('pcr'), await signersOf('pcr2')];
  const pick = (signers: Map<Bank, Signer>, bank: Bank): Signer => {
    const signer = signers.get(bank);
    assert.ok(signer);
    return signer;
  };
  for (const pairs of [
    [],
    [['sha1', pick(pcr, 'sha1')]],
    [['sha1', pick(pcr, 'sha256')]],
    [
      ['sha1', pick(pcr, 'sha1')],
      ['sha256', pick(pcr2, 'sha256')],
    ],
  ] as [Bank, Signer][][]) {
    await assert.rejects(signPcrPolicies(values, new Map(pairs)), { code: 'signer_unsuitable' });
  }
  assert.deepEqual(await signPcrPolicies([], new Map()), []);
});

test('the key is named by its RSAPublicKey, and what is no key has no name', UKIS, async () => {
  const spki = await spkiOf('pcr');
  assert.equal(toHex(pcrKeyFingerprint(spki)), '5945a5c30777730e830fed3843923132962d76a640b569879418406b09989708');
  for (let length = 0; length < spki.length; length++) {
    assert.throws(() => pcrKeyFingerprint(spki.subarray(0, length)), isVouchsafeError);
  }
});

const HEX = 'ab'.repeat(32);
const ENTRY = `{"pcrs":[11],"pkfp":"${HEX}","pol":"${HEX}","sig":"AAAA"}`;

test('text that is no .pcrsig', () => {
  const good = (text: string): number => parsePcrSignatures(text).length;
  assert.equal(good('{}'), 0);
  assert.equal(good(` {\t"sha256" :\r\n[ ${ENTRY} , ${ENTRY} ], "sha1": []}\n`), 2);
  assert.equal(good(`{"sha512":[${Array(256).fill(ENTRY).join()}]}`), 256);
  const bad = [
    '',
    '[]',
    'null',
    '1',
    `{"sha256":[${ENTRY}]}\0`,
    `{"sha256":[${ENTRY}]}x`,
    `{"sha256":[${ENTRY}],"sha256":[]}`,
    `{"sh\\u0061256":[]}`,
    '{"sm3":[]}',
    '{"sha256":{}}',
    '{"sha256":[[]]}',
    '{"sha256":[null]}',
    `{"sha512":[${Array(257).fill(ENTRY).join()}]}`,
    ...[
      [',"sig":"AAAA"', ''],
      ['"sig"', '"sig":"AAAA","sig"'],
      ['"sig"', '"more"'],
      ['"sig"', '"more":1,"sig"'],
      ['"AAAA"', '""'],
      ['"AAAA"', '"AAA"'],
      ['"AAAA"', '"AA\\/A"'],
      ['"AAAA"', '1'],
      ['"AAAA"', `"${'A'.repeat(2732)}"`],
      ['[11]', '[]'],
      ['[11]', '11'],
      ['[11]', '[24]'],
      ['[11]', '[-1]'],
      ['[11]', '[11,11]'],
      ['[11]', '[12,11]'],
      ['[11]', '[11.5]'],
      ['[11]', '["11"]'],
      ['[11]', '[1.1e1]'],
      ['[11]', '[null]'],
      [HEX, HEX.toUpperCase()],
      [HEX, HEX.slice(1)],
      [HEX, `${HEX}a`],
      [`"${HEX}"`, 'null'],
    ].map(([from = '', to = '']) => `{"sha256":[${ENTRY.replace(from, to)}]}`),
    '['.repeat(1024 * 1024),
    `{"sha256":[${ENTRY}]}${' '.repeat(1024 * 1024)}`,
  ];
  for (const text of bad) assert.throws(() => good(text), { code: 'pcrsig_malformed' }, text.slice(0, 300));
  const withReference = `{"sha256":[${ENTRY.replace('"sig"', '"ref":"initrd","sig"')}]}`;
  assert.throws(() => good(withReference), { code: 'pcrsig_unsupported' });
  const text = `{"sha256":[${ENTRY}]}`;
  for (let length = 0; length < text.length; length++) {
    assert.throws(() => good(text.slice(0, length)), { code: 'pcrsig_malformed' });
  }
});

test('whatever was changed in the text, nothing but our errors, and nothing that is read otherwise than it stands', () => {
  const text = `{"sha256":[${ENTRY}],"sha1":[${ENTRY}]}`;
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 4 }), (at, piece) => {
      const changed = text.slice(0, at) + piece + text.slice(at + 1);
      try {
        const signatures = parsePcrSignatures(changed);
        const again = formatPcrSignatures(signatures);
        assert.deepEqual(parsePcrSignatures(again), signatures);
        assert.equal(again.replaceAll(' ', ''), changed.replaceAll(/[ \t\r\n]/g, ''));
      } catch (error) {
        assert.ok(isVouchsafeError(error), `${error}`);
      }
    }),
  );
});
