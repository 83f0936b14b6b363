// SPDX-License-Identifier: Apache-2.0
// From a recipe to a booted machine: the manifest, written before the machine starts, says what its TPM holds.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readBytes } from '@vouchsafe/bytes';
import {
  type BootResult,
  bootDisk,
  debianCloudKernel,
  FIRMWARE_VARIABLES,
  guestRoot,
  runVouchsafe,
} from '@vouchsafe/lab';
import { type VerifiedManifest, verifyManifest } from '@vouchsafe/manifest';
import { parsePem } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');
const NONCE = '00112233445566778899aabbccddeeff';

/** The guest's tree as a folder. */
function writeTree(folder: string): void {
  for (const entry of [...guestRoot()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const path = join(folder, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === 'directory') mkdirSync(path, { recursive: true });
    else if (entry.kind === 'symlink') symlinkSync(entry.target, path);
    else if (entry.kind === 'file') {
      writeFileSync(path, readBytes(entry.content, 0, entry.content.size), { mode: entry.mode });
    }
  }
}

describe('a recipe, built by the command and booted', tools, () => {
  let verified: VerifiedManifest;
  let boot: BootResult;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const kernel = debianCloudKernel();
    writeTree(join(dir, 'root'));
    const keys = join(dir, 'keys');
    const variables = join(dir, 'variables.fd');
    runVouchsafe('keys', 'generate', keys);
    runVouchsafe('keys', 'enroll', keys, '--vars', FIRMWARE_VARIABLES, '-o', variables);
    const lines = [
      'name: lab',
      'version: 1.2.3',
      'root: { folder: root }',
      `kernel: { folder: ${join(kernel.modulesRoot, '../../..')} }`,
      `command-line: console=ttyS0 panic=-1 quiet vouchsafe.nonce=${NONCE}`,
      'keys: keys',
      '',
    ];
    writeFileSync(join(dir, 'recipe.yaml'), lines.join('\n'));
    runVouchsafe('image', 'build', join(dir, 'recipe.yaml'), '-o', join(dir, 'out'));
    const [key] = parsePem(readFileSync(join(keys, 'manifest.pub')), 'PUBLIC KEY');
    assert.ok(key);
    verified = verifyManifest(readFileSync(join(dir, 'out', 'lab_1.2.3.manifest.json')), [key.bytes]);
    boot = await bootDisk({ disk: join(dir, 'out', 'lab_1.2.3.raw'), firmwareVariables: variables });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the machine boots under Secure Boot and reports', () => {
    assert.equal(boot.outcome, 'reported', boot.serial);
    assert.match(boot.serial, /vouchsafe-initrd: root verified/);
  });

  test('every PCR of the manifest is the machine’s', () => {
    const text = Buffer.from(boot.results.get('pcrs') ?? new Uint8Array()).toString('latin1');
    const real = new Map(
      text
        .trim()
        .split('\n')
        .map((line) => {
          const [bank, pcr, value = ''] = line.split(' ');
          return [`${bank} ${pcr}`, value.toLowerCase()] as const;
        }),
    );
    const { manifest } = verified;
    const on = manifest.boots.find(({ condition }) => condition.secureBoot === 'on');
    const predicted = on?.phases[0]?.pcrs.sha256 ?? {};
    assert.deepEqual(on?.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
    for (const [pcr, value] of Object.entries(predicted)) assert.equal(real.get(`sha256 ${pcr}`), value, `PCR ${pcr}`);
  });
});
