// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeTcgLog, formatTpm2Yaml, replayTcgLog } from '@vouchsafe/eventlog';
import { needsTool, needsVectors, vectorPath } from '@vouchsafe/testing';
import { readVector } from './support.ts';

/** tpm2_eventlog 5.4 replays PCR 0 from zeros, whatever the locality: that value no TPM has, so that we print another. */
const withoutPcr0 = (yaml: string): string => yaml.replace(/^ {4}0 {2}: 0x.*$/gm, '');

function assertSame(ours: string, theirs: string, startupLocality: number): void {
  if (startupLocality === 0) assert.equal(ours, theirs);
  else assert.equal(withoutPcr0(ours), withoutPcr0(theirs));
}

const FOLDER = ['attestation', 'EXPECTED', 'tpm2_eventlog'];
const OWN = ['attestation', 'tpm2-software__tpm2-tools', 'test', 'integration', 'fixtures'];
const RECORDED = existsSync(vectorPath(...FOLDER))
  ? readdirSync(vectorPath(...FOLDER)).filter((name) => existsSync(vectorPath(...OWN, name.replace(/\.yaml$/, ''))))
  : [];

for (const name of RECORDED) {
  test(`${name}: byte for byte what tpm2_eventlog 5.4 printed`, needsVectors(...FOLDER), () => {
    const log = decodeTcgLog(readVector(...OWN, name.replace(/\.yaml$/, '')));
    const theirs = readFileSync(vectorPath(...FOLDER, name), 'utf8');
    assertSame(formatTpm2Yaml(log), theirs, replayTcgLog(log).startupLocality);
  });
}

const LOGS = [
  ['attestation', 'google__go-eventlog', 'testdata', 'eventlogs', 'tpm', 'rhel8-uefi.bin'],
  ['attestation', 'google__go-eventlog', 'testdata', 'eventlogs', 'tpm', 'glinux-alex.bin'],
  ['attestation', 'google__go-eventlog', 'testdata', 'eventlogs', 'tpm', 'ubuntu-2104-no-secure-boot.bin'],
  ['attestation', 'keylime__rust-keylime', 'keylime', 'test-data', 'uefi_log.bin'],
  ['attestation', 'EXPECTED', 'derived', 'go-attestation-windows', 'eventlog.bin'],
  ['image', 'boot', 'secureboot-257', 'binary_bios_measurements'],
];
const TESTDATA = fileURLToPath(new URL('../testdata/tcg/', import.meta.url));

function assertToolAgrees(path: string, version: 1 | 2): void {
  const { status, stdout } = spawnSync('tpm2_eventlog', [`--eventlog-version=${version}`, path], { encoding: 'utf8' });
  assert.equal(status, 0);
  const log = decodeTcgLog(Uint8Array.from(readFileSync(path)));
  assertSame(formatTpm2Yaml(log, version), stdout, replayTcgLog(log).startupLocality);
}

for (const version of [1, 2] as const) {
  test(
    `tpm2_eventlog --eventlog-version=${version} prints the same of our own logs`,
    needsTool('tpm2_eventlog'),
    () => {
      assertToolAgrees(`${TESTDATA}agile.bin`, version);
      assertToolAgrees(`${TESTDATA}sha1.bin`, version);
    },
  );

  for (const path of LOGS) {
    const { skip } = needsVectors(...path);
    const options = skip === undefined ? needsTool('tpm2_eventlog') : needsVectors(...path);
    test(`tpm2_eventlog --eventlog-version=${version} prints the same of ${path.at(-1)}`, options, () => {
      assertToolAgrees(vectorPath(...path), version);
    });
  }
}
