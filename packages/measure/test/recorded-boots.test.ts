// SPDX-License-Identifier: Apache-2.0
// What real boots measured, predicted from the files that were booted. See the vectors' MANIFEST.tsv for how they were made.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { GptTable } from '@vouchsafe/disk';
import { decodeTcgLog, digestOf } from '@vouchsafe/eventlog';
import { type Bank, type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';
import {
  type BootArtefacts,
  predictBoot,
  predictBootAttempt,
  predictSecureBoot,
  predictUki,
  UKI_PCRS,
  type UkiStart,
} from '@vouchsafe/measure';
import { decodeVariableStore, liveVariables, openPe } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';

const BOOTS = needsVectors('image', 'boot');
const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

interface Expected {
  readonly pcr: Readonly<Record<string, string>>;
}
const expectedOf = (boot: string): Expected['pcr'] =>
  (JSON.parse(readFileSync(vectorPath('image', 'boot', 'EXPECTED.json'), 'utf8')) as Record<string, Expected>)[boot]
    ?.pcr ?? {};

/** Opens a file of the vectors; closed when the test ends. */
function open(t: { after(fn: () => void): void }, ...path: string[]): FileSource {
  const source = FileSource.open(vectorPath('image', ...path));
  t.after(() => source.close());
  return source;
}

function assertPcrs(boot: string, events: readonly PredictedEvent[], pcrs: readonly number[], banks: readonly Bank[]) {
  const expected = expectedOf(boot);
  for (const bank of banks) {
    const values = replayPredicted(bank, events);
    for (const pcr of pcrs) {
      assert.equal(toHex(values.get(pcr) ?? new Uint8Array()), expected[`${bank}:${pcr}`], `${boot} ${bank}:${pcr}`);
    }
  }
}

/** PCR and digest of each event of the PCRs, as the firmware logged them. */
function logged(boot: string, pcrs: readonly number[], bank: Bank): string[] {
  const { events } = decodeTcgLog(
    new Uint8Array(readFileSync(vectorPath('image', 'boot', boot, 'binary_bios_measurements'))),
  );
  return events
    .filter(({ pcr, type }) => pcrs.includes(pcr) && type !== 'EV_NO_ACTION')
    .map((event) => `${event.pcr} ${toHex(digestOf(event, bank) ?? new Uint8Array(0))}`);
}

for (const [boot, start] of [
  ['direct-stub252', () => ({ uki: ['boot', 'uki-252.39.efi'], isSecureBootOn: false })],
  [
    'sdboot252-stub252',
    (t) => ({
      uki: ['boot', 'uki-252.39.efi'],
      isSecureBootOn: false,
      loader: openPe(open(t, 'pe', 'stubs', '252.39-amd64', 'systemd-bootx64.efi')),
      companions: [
        { name: 'loc.cred', content: memorySource(utf8('local-secret')) },
        { name: 'foo.raw', content: open(t, 'ddi', 'foo.sysext.trixie.raw') },
      ],
    }),
  ],
  [
    'secureboot-257',
    (t) => ({
      uki: ['boot', 'uki-257.13-signed.efi'],
      isSecureBootOn: true,
      loader: openPe(open(t, 'boot', 'sd-boot-257.13-signed.efi')),
    }),
  ],
] as readonly [string, (t: { after(fn: () => void): void }) => UkiStart & { readonly uki: readonly string[] }][]) {
  test(`${boot}: every event of PCR 4, 9, 11, 12 and 13 in the order of the log, in four banks`, BOOTS, (t) => {
    const { uki, ...rest } = start(t);
    const events = [...predictBootAttempt(BANKS), ...predictUki(BANKS, openPe(open(t, ...uki)), rest)];
    for (const bank of BANKS) {
      const predicted = events.map(({ pcr, digests }) => `${pcr} ${toHex(digests.get(bank) ?? new Uint8Array(0))}`);
      assert.deepEqual(predicted, logged(boot, UKI_PCRS, bank), bank);
    }
    const touched = [...new Set(events.map(({ pcr }) => pcr))];
    assertPcrs(boot, events, touched, BANKS);
    assert.ok(events.every(({ origin, description }) => origin.artefact !== '' && description !== ''));
  });
}

/** The disk that all of these booted from, as sgdisk made it. */
const TABLE: GptTable = {
  sectorSize: 512,
  sectors: 0x30000,
  diskUuid: '11111111-2222-4333-8444-555555555555',
  entryCount: 128,
  firstUsableLba: 34n,
  lastUsableLba: 0x2ffden,
  partitions: [
    {
      index: 0,
      typeUuid: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
      uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
      firstLba: 0x800n,
      lastLba: 0x2d7ffn,
      attributes: 0n,
      label: 'esp',
    },
  ],
};

const LOADER_CONF = memorySource(utf8('timeout 0\n'), '/loader/loader.conf');

for (const [boot, artefacts, isSecureBootOn] of [
  ['direct-stub252', (t) => ({ uki: openPe(open(t, 'boot', 'uki-252.39.efi')), variables: [] }), false],
  [
    'sdboot252-stub252',
    (t) => ({
      uki: openPe(open(t, 'boot', 'uki-252.39.efi')),
      loader: openPe(open(t, 'pe', 'stubs', '252.39-amd64', 'systemd-bootx64.efi')),
      loaderConf: LOADER_CONF,
      companions: [
        { name: 'loc.cred', content: memorySource(utf8('local-secret')) },
        { name: 'foo.raw', content: open(t, 'ddi', 'foo.sysext.trixie.raw') },
      ],
      variables: [],
    }),
    false,
  ],
  [
    'secureboot-257',
    (t) => ({
      uki: openPe(open(t, 'boot', 'uki-257.13-signed.efi')),
      loader: openPe(open(t, 'boot', 'sd-boot-257.13-signed.efi')),
      loaderConf: LOADER_CONF,
      variables: liveVariables(
        decodeVariableStore(readFileSync(vectorPath('image', 'efivars', 'OVMF_VARS_4M.testkeys.fd'))),
      ),
    }),
    true,
  ],
] as readonly [string, (t: { after(fn: () => void): void }) => BootArtefacts, boolean][]) {
  test(`${boot}: the whole log but the machine's PCRs, in its order, none missing and none besides`, BOOTS, (t) => {
    const boots = predictBoot(BANKS, { ...artefacts(t), table: TABLE }, { isSecureBootOn });
    assert.deepEqual(boots.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
    assert.deepEqual(
      boots.unpredicted.map(({ pcr, why }) => [pcr, why]),
      [0, 1, 2, 3, 6, 10, 15].map((pcr) => [pcr, 'machine']),
    );
    for (const bank of BANKS) {
      const predicted = boots.events.map(
        ({ pcr, digests }) => `${pcr} ${toHex(digests.get(bank) ?? new Uint8Array(0))}`,
      );
      assert.deepEqual(predicted, logged(boot, boots.covers, bank), bank);
    }
    const untouched = boots.covers.filter((pcr) => boots.events.every((event) => event.pcr !== pcr));
    for (const pcr of untouched) assert.match(expectedOf(boot)[`sha256:${pcr}`] ?? '', /^0+$/);
    assertPcrs(
      boot,
      boots.events,
      boots.covers.filter((pcr) => !untouched.includes(pcr)),
      BANKS,
    );
  });
}

test('what comes from a place in a file says which', BOOTS, (t) => {
  const source = open(t, 'boot', 'uki-252.39.efi');
  const uki = openPe(source);
  const { events } = predictBoot(['sha256'], { uki }, { isSecureBootOn: false });
  const linux = uki.sections.find(({ name }) => name === '.linux');
  const from = events.filter(({ origin }) => origin.section === '.linux');
  assert.deepEqual(
    from.map(({ pcr, origin }) => [pcr, origin.offset]),
    [11, 11, 4].map((pcr) => [pcr, linux?.pointerToRawData]),
  );
  assert.ok(events.filter(({ pcr }) => pcr === 11).every(({ origin }) => (origin.offset ?? 0) > 0));
});

test('Secure Boot off: PCR 7 is one value whatever is booted', BOOTS, () => {
  const events = predictSecureBoot(BANKS, { isOn: false, variables: [] });
  assertPcrs('direct-stub252', events, [7], BANKS);
  assertPcrs('sdboot252-stub252', events, [7], BANKS);
});

test(
  'Secure Boot on: PCR 7 follows from the variable store and the certificate',
  needsVectors('image', 'efivars'),
  () => {
    const store = decodeVariableStore(readFileSync(vectorPath('image', 'efivars', 'OVMF_VARS_4M.testkeys.fd')));
    const pem = readFileSync(vectorPath('image', 'uki', 'keys', 'db.crt'), 'utf8');
    const authority = Uint8Array.from(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
    const variables = liveVariables(store);
    assertPcrs('secureboot-257', predictSecureBoot(BANKS, { isOn: true, variables, authority }), [7], BANKS);
    const other = authority.slice();
    other[40] = (other[40] as number) ^ 1;
    assert.throws(() => predictSecureBoot(BANKS, { isOn: true, variables, authority: other }), {
      code: 'options_invalid',
    });
  },
);
