// SPDX-License-Identifier: Apache-2.0
// Cases of tampering after which the machine comes up: its log, laid beside the manifest, says what was done. Cases that do
// not get into each other's way share a boot.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type BootResult,
  bootDisk,
  buildRecipeImage,
  expectationOf,
  judgeTampering,
  LabError,
  machineVariables,
  type RecipeImage,
  runVouchsafe,
  type SecureBoot,
  TAMPER_CASE_NAMES,
  TAMPER_CASES,
  type TamperCaseName,
  type TamperInputs,
  tamperedCopy,
  tamperOrders,
} from '@vouchsafe/lab';
import { needsTool, tempDir } from '@vouchsafe/testing';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');
const LOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi';

describe('tampered images that boot, and tell', tools, () => {
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
    image = buildRecipeImage(join(dir, 'own'), keys);
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  async function check(
    names: readonly TamperCaseName[],
    secureBoot: SecureBoot,
    { of = image, others = [], ...inputs }: TamperInputs & { of?: RecipeImage; others?: RecipeImage[] } = {},
  ): Promise<BootResult> {
    const copy = join(dir, `${names[0]}.raw`);
    await tamperedCopy(names, of.disk, copy, { keys, ...inputs });
    const boot = await bootDisk({
      disk: copy,
      firmwareVariables: variables[secureBoot] as string,
      orders: tamperOrders(names, copy),
    });
    const manifests = [of, ...others].map(({ manifest }) => manifest);
    const expected = names.map((name) => expectationOf(name, secureBoot, of.disk));
    const { isAsExpected, found } = judgeTampering(boot, expected, manifests, secureBoot);
    assert.ok(isAsExpected, `${found}\n${boot.serial}`);
    rmSync(copy);
    return boot;
  }

  test('an addon, which this stub does not load, a credential, an extension, the partition table, PCR 4 extended later', async () => {
    await check(['addon', 'credential', 'sysext', 'gpt-entry', 'late-extend'], 'on');
  });

  test('with Secure Boot off: data, tree and command line that fit together', async () => {
    await check(['new-root'], 'off');
  });

  test('with Secure Boot off: a boot entry with another command line, and the UKI without its signature', async () => {
    const withLoader = buildRecipeImage(join(dir, 'loader'), keys, { loader: LOADER });
    await check(['loader-entry', 'unsigned'], 'off', { of: withLoader });
  });

  test('an earlier version that is signed by the same keys', async () => {
    const older = buildRecipeImage(join(dir, 'older'), keys, { version: '1.2.2' });
    await check(['rollback'], 'on', { olderDisk: older.disk, others: [older] });
  });

  test('under the running system: data that it has read and data that it has not, and the hash tree', async () => {
    const { serial } = await check(['online-data', 'online-hash'], 'on');
    assert.match(serial, /device-mapper: verity: .* data block [0-9]+ is corrupted/);
  });

  test('a case for which something is missing, or that means nothing on this machine, is refused', async () => {
    const copy = join(dir, 'none.raw');
    await assert.rejects(tamperedCopy(['rollback'], image.disk, copy), { code: 'input_missing' });
    await assert.rejects(tamperedCopy(['loader-entry'], image.disk, copy), { code: 'tamper_unfit' });
    assert.throws(() => expectationOf('loader-entry', 'on', image.disk), LabError);
  });

  test('of an image whose stub loads addons, an addon is expected to be seen', () => {
    const { expected, before } = TAMPER_CASES.addon;
    assert.deepEqual([expected.on?.kind, before?.stubVersion, before?.expected.kind], ['visible', 254, 'unnoticed']);
  });

  test('each case says what comes of it, in some state of Secure Boot', () => {
    for (const name of TAMPER_CASE_NAMES) assert.ok(Object.keys(TAMPER_CASES[name].expected).length > 0, name);
  });
});
