// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { BANKS } from '@vouchsafe/manifest';
import {
  type BootArtefacts,
  formatPcrlock,
  type PcrlockComponent,
  pcrlockComponents,
  predictBoot,
} from '@vouchsafe/measure';
import { decodeVariableStore, liveVariables } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { openVector, readVector, textOf } from './support.ts';

const VECTORS = needsVectors('image', 'pcrlock');

test('what systemd-pcrlock lock-uki writes for a UKI of its own release, octet for octet', VECTORS, () => {
  for (const name of ['uki-257.13.efi', 'uki-257.13-signed.efi']) {
    const artefacts = { uki: openVector('boot', name) };
    const [component] = pcrlockComponents(
      artefacts,
      predictBoot(BANKS, artefacts, { isSecureBootOn: true, pcrs: [4, 11] }),
    );
    assert.equal(component?.name, '650-uki.pcrlock');
    // The signature does not count for either digest.
    assert.equal(formatPcrlock(component as PcrlockComponent), textOf('pcrlock', 'lock-uki-257.pcrlock'));
  }
});

test('for stub 252 it has the sections that this stub measures, where lock-uki has those of 257', VECTORS, () => {
  const artefacts = { uki: openVector('boot', 'uki-252.39.efi') };
  const records = (text: string): string[] => {
    const { records: found } = JSON.parse(text) as { records: { pcr: number; digests: unknown }[] };
    return found.map((record) => JSON.stringify(record));
  };
  const [component] = pcrlockComponents(
    artefacts,
    predictBoot(BANKS, artefacts, { isSecureBootOn: true, pcrs: [4, 11] }),
  );
  const ours = records(formatPcrlock(component as PcrlockComponent));
  const theirs = records(textOf('pcrlock', 'lock-uki-252.pcrlock'));
  assert.ok(ours.every((record) => theirs.includes(record)));
  // .uname and .sbat, by name and content: that boot did not log them.
  assert.equal(theirs.length - ours.length, 4);
});

test('a boot loader as systemd-pcrlock lock-pe has it', VECTORS, () => {
  const artefacts = {
    uki: openVector('boot', 'uki-257.13-signed.efi'),
    loader: openVector('boot', 'sd-boot-257.13-signed.efi'),
  };
  const components = pcrlockComponents(artefacts, predictBoot(BANKS, artefacts, { isSecureBootOn: true, pcrs: [4] }));
  const loader = components.find(({ name }) => name === '640-boot-loader.pcrlock');
  assert.equal(formatPcrlock(loader as PcrlockComponent), textOf('pcrlock', 'lock-pe-sdboot257.pcrlock'));
});

test('with what systemd ships, the components are a whole boot, in the order of their names', VECTORS, () => {
  const artefacts: BootArtefacts = {
    uki: openVector('boot', 'uki-257.13-signed.efi'),
    loader: openVector('boot', 'sd-boot-257.13-signed.efi'),
    loaderConf: memorySource(utf8('timeout 0\n'), '/loader/loader.conf'),
    variables: liveVariables(decodeVariableStore(readVector('efivars', 'OVMF_VARS_4M.testkeys.fd'))),
  };
  const boot = predictBoot(BANKS, artefacts, { isSecureBootOn: true });
  const components = pcrlockComponents(artefacts, boot);
  assert.deepEqual(
    components.map(({ name }) => name),
    [
      '240-secureboot-policy',
      '620-secureboot-authority',
      '640-boot-loader',
      '650-uki',
      '710-kernel-cmdline',
      '720-kernel-initrd',
    ].map((name) => `${name}.pcrlock`),
  );
  const shipped = [
    '350-action-efi-application.pcrlock',
    '400-secureboot-separator.pcrlock.d/300-0x00000000.pcrlock',
    '500-separator.pcrlock.d/300-0x00000000.pcrlock',
    '700-action-efi-exit-boot-services.pcrlock.d/300-present.pcrlock',
  ].map((name) => ({ name, text: readFileSync(vectorPath('image', 'pcrlock', 'systemd-shipped', name), 'utf8') }));
  const files = [...shipped, ...components.map((one) => ({ name: one.name, text: formatPcrlock(one) }))];
  const records = files
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ text }) => (JSON.parse(text) as { records: { pcr: number }[] }).records);
  // Without a disk PCR 5 is not predicted.
  for (const pcr of [4, 7, 9, 11]) {
    const events = boot.events.filter((event) => event.pcr === pcr);
    const expected = JSON.parse(formatPcrlock({ events })) as { records: unknown[] };
    assert.deepEqual(
      records.filter((record) => record.pcr === pcr),
      expected.records,
      `PCR ${pcr}`,
    );
  }
});
