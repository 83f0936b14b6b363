// SPDX-License-Identifier: Apache-2.0
// Logs of recorded boots, explained by manifests that were made from the files alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { decodeTcgLog } from '@vouchsafe/eventlog';
import { BANKS, type Manifest, makeManifest, type PredictedBoot } from '@vouchsafe/manifest';
import { type BootArtefacts, predictBoot } from '@vouchsafe/measure';
import { decodeVariableStore, liveVariables, openPe, type PeFile } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';

const read = (...path: string[]): Uint8Array => Uint8Array.from(readFileSync(vectorPath('image', ...path)));
const pe = (...path: string[]): PeFile => openPe(memorySource(read(...path), path.at(-1) ?? ''));
const log = (boot: string) => decodeTcgLog(read('boot', boot, 'binary_bios_measurements')).events;

function manifest(version: string, boots: readonly PredictedBoot[]): Manifest {
  return makeManifest({
    name: 'edge',
    version,
    architecture: 'x86-64',
    artefacts: [],
    roots: [],
    boots,
    banks: BANKS,
  });
}

const boot = (artefacts: BootArtefacts, isSecureBootOn: boolean): PredictedBoot =>
  predictBoot(BANKS, artefacts, { isSecureBootOn });

/** PCR, code and what was judged of each event that does not fit, in order. */
const misfits = ({ events }: LogExplanation): string[] =>
  events.flatMap(({ pcr, judgement, reason }) => (reason === undefined ? [] : [`${pcr} ${judgement} ${reason.code}`]));

const count = ({ events }: LogExplanation, judgement: string): number =>
  events.filter((event) => event.judgement === judgement).length;

describe('recorded boots, explained', needsVectors('image', 'boot'), () => {
  const old = () => ({ uki: pe('boot', 'uki-252.39.efi'), variables: [] });
  const signed = () => ({ uki: pe('boot', 'uki-257.13-signed.efi') });

  test('a boot of the image: every event is expected or the machine’s, in each bank', () => {
    for (const bank of BANKS) {
      const explained = explainLog(log('direct-stub252'), { manifests: [manifest('1', [boot(old(), false)])], bank });
      assert.deepEqual(misfits(explained), []);
      assert.ok(explained.isAsExpected);
      // The partition table is the disk's, which the manifest does not know.
      assert.deepEqual([count(explained, 'expected') > 15, explained.boot.covers.includes(5)], [true, false]);
      const from = explained.events.find(({ predicted }) => predicted?.origin.section === '.initrd');
      assert.equal(from?.predicted?.origin.artefact, 'uki-252.39.efi');
    }
  });

  test('of several versions and conditions the one that was booted is found', () => {
    const manifests = [
      manifest('1', [boot({ uki: pe('boot', 'uki-252.39.efi') }, true), boot(old(), false)]),
      manifest('2', [
        boot(
          {
            ...signed(),
            loader: pe('boot', 'sd-boot-257.13-signed.efi'),
            loaderConf: memorySource(utf8('timeout 0\n'), '/loader/loader.conf'),
            variables: liveVariables(decodeVariableStore(read('efivars', 'OVMF_VARS_4M.testkeys.fd'))),
          },
          true,
        ),
      ]),
    ];
    const direct = explainLog(log('direct-stub252'), { manifests });
    assert.deepEqual([direct.manifest.version, direct.boot.condition.secureBoot, misfits(direct)], ['1', 'off', []]);
    const second = explainLog(log('secureboot-257'), { manifests });
    assert.deepEqual([second.manifest.version, second.isAsExpected, misfits(second)], ['2', true, []]);
  });

  test('Secure Boot is off: firmware measured the kernel inside the UKI', () => {
    const explained = explainLog(log('direct-stub252'), {
      manifests: [manifest('1', [boot({ uki: pe('boot', 'uki-252.39.efi') }, true)])],
    });
    assert.deepEqual(misfits(explained), ['4 unexpected inner_kernel']);
  });

  test('a boot loader, its command line, credentials and an extension are named', () => {
    const explained = explainLog(log('sdboot252-stub252'), { manifests: [manifest('1', [boot(old(), false)])] });
    assert.deepEqual(misfits(explained), [
      '4 unexpected program_started',
      '9 unexpected initrd_changed',
      '9 missing follows',
      '12 unexpected command_line_passed',
      '12 unexpected command_line_passed',
      '12 unexpected credentials_added',
      '13 unexpected extensions_added',
    ]);
    assert.ok(!explained.isAsExpected);
  });

  test('another version’s UKI is named by its parts', () => {
    const condition = { isSecureBootOn: true, pcrs: [4, 9, 11, 12, 13] };
    const one = predictBoot(BANKS, { uki: pe('boot', 'uki-252.39.efi') }, condition);
    const two = predictBoot(BANKS, { uki: pe('boot', 'uki-257.13-signed.efi') }, condition);
    // Version 1 with version 2's image on the disk: an update that half the parts of did not reach.
    const half = {
      ...two,
      events: two.events.filter(({ pcr }) => pcr !== 4).concat(one.events.filter(({ pcr }) => pcr === 4)),
    };
    const explained = explainLog(log('secureboot-257'), {
      manifests: [manifest('1.3.2', [two]), manifest('1.4.0', [half])],
    });
    assert.equal(explained.manifest.version, '1.3.2');
    const forced = explainLog(log('secureboot-257'), {
      manifests: [
        manifest('1.4.0', [half]),
        manifest('1.3.2', [one, { ...two, condition: { ...two.condition, secureBoot: 'off' } }]),
      ],
      condition: { secureBoot: 'on' },
    });
    const reasons = forced.events.flatMap(({ reason }) => (reason?.code === 'other_image' ? [reason.text] : []));
    assert.deepEqual(reasons, ['this is the UKI of edge 1.3.2 (uki-257.13-signed.efi)']);
  });
});
