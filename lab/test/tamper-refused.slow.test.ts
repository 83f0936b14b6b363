// SPDX-License-Identifier: Apache-2.0
// Cases of tampering after which no machine comes up, each made to a copy of a real image and booted.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  bootDisk,
  buildRecipeImage,
  expectationOf,
  judgeTampering,
  machineVariables,
  type RecipeImage,
  runVouchsafe,
  type SecureBoot,
  type TamperCaseName,
  tamperedCopy,
} from '@vouchsafe/lab';
import { needsTool, tempDir } from '@vouchsafe/testing';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');
/** Firmware refuses them, and goes on to the next disk. */
const BY_FIRMWARE: readonly TamperCaseName[] = ['root-hash', 'new-root', 'initrd-byte', 'unsigned', 'foreign-key'];
const BY_KERNEL: readonly (readonly [TamperCaseName, SecureBoot])[] = [
  ['hash-block', 'on'],
  ['superblock', 'on'],
  ['root-hash', 'off'],
];

describe('tampered images that are refused', tools, () => {
  let dir: string;
  let keys: string;
  let image: RecipeImage;
  const variables: Partial<Record<SecureBoot, string>> = {};
  const cleanups: (() => void)[] = [];

  before(() => {
    if (tools.skip !== undefined) return;
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    keys = join(dir, 'keys');
    runVouchsafe('keys', 'generate', keys);
    for (const state of ['on', 'off'] as const) {
      const path = join(dir, `${state}.fd`);
      writeFileSync(path, machineVariables(keys, state));
      variables[state] = path;
    }
    image = buildRecipeImage(dir, keys);
    runVouchsafe('image', 'verify', image.disk, '--db', join(keys, 'db.crt'));
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test(`by firmware: ${BY_FIRMWARE.join(', ')}, on one machine that goes from disk to disk`, async () => {
    const disks: string[] = [];
    for (const name of BY_FIRMWARE) {
      const copy = join(dir, `${name}.raw`);
      await tamperedCopy([name], image.disk, copy);
      assert.throws(() => runVouchsafe('image', 'verify', copy, '--db', join(keys, 'db.crt')), { code: 'tool_failed' });
      disks.push(copy);
    }
    const [disk = '', ...furtherDisks] = disks;
    const boot = await bootDisk({ disk, furtherDisks, firmwareVariables: variables.on as string });
    const expected = BY_FIRMWARE.map((name) => expectationOf(name, 'on', image.disk));
    const { isAsExpected, found } = judgeTampering(boot, expected, [image.manifest], 'on');
    assert.ok(isAsExpected, `${found}\n${boot.serial}`);
    assert.equal(boot.refusals.length, BY_FIRMWARE.length, boot.serial);
    assert.equal(boot.results.size, 0);
    for (const path of disks) rmSync(path);
  });

  test('by the kernel, as the command tells it: data-block', () => {
    const said = runVouchsafe('lab', 'boot', image.disk, '--keys', keys, '--tamper', 'data-block', '--json');
    const { outcome, tampering } = JSON.parse(said) as { outcome: string; tampering: { isAsExpected: boolean } };
    assert.ok(tampering.isAsExpected, outcome);
    assert.equal(outcome, 'refused_by_kernel');
  });

  for (const [name, secureBoot] of BY_KERNEL) {
    test(`by kernel or initrd, with Secure Boot ${secureBoot}: ${name}`, async () => {
      const copy = join(dir, `${name}.raw`);
      await tamperedCopy([name], image.disk, copy);
      const boot = await bootDisk({ disk: copy, firmwareVariables: variables[secureBoot] as string });
      const expected = expectationOf(name, secureBoot, image.disk);
      const { isAsExpected, found } = judgeTampering(boot, [expected], [image.manifest], secureBoot);
      assert.ok(isAsExpected, `${found}\n${boot.serial}`);
      assert.equal(boot.results.size, 0);
      rmSync(copy);
    });
  }
});
