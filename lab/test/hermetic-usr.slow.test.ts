// SPDX-License-Identifier: Apache-2.0
// A recipe with a hermetic /usr in the first of two slots, started by systemd-boot, with files beside the image; and the same
// root for a confidential guest, started without firmware.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FileSource } from '@vouchsafe/bytes/node';
import { requireGpt } from '@vouchsafe/disk';
import { makeInitrd, VIRTUAL_MACHINE_MODULES } from '@vouchsafe/image';
import { type BootResult, bootDisk, bootKernel, debianCloudKernel, runVouchsafe } from '@vouchsafe/lab';
import { needsTool, tempDir } from '@vouchsafe/testing';
import {
  assertPredicted,
  type BuiltRecipe,
  buildRecipe,
  pcrsOf,
  prepareKeys,
  runBuild,
  textOf,
} from './recipe-support.ts';

const LOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi';
const tools = needsTool('qemu-system-x86_64', 'swtpm', 'dmsetup', 'busybox', 'dpkg', 'openssl');

const dir = (cleanups: (() => void)[]): string => tempDir({ after: (fn) => void cleanups.push(fn as () => void) });

describe('a hermetic /usr', tools, () => {
  let built: BuiltRecipe;
  let boot: BootResult;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const folder = dir(cleanups);
    const { firmwareVariables } = prepareKeys(folder);
    writeFileSync(join(folder, 'site.cred'), 'a credential');
    writeFileSync(join(folder, 'tools.raw'), new Uint8Array(8192).fill(7));
    built = buildRecipe(folder, '1.0', [
      `loader: ${LOADER}`,
      'layout: { verity: usr, slots: 2, slot-size: 16M }',
      'credentials: [site.cred]',
      'sysexts: [tools.raw]',
    ]);
    boot = await bootDisk({ disk: built.disk, firmwareVariables });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the manifest has every PCR and every event, those of the files beside the image too', () => {
    assertPredicted(boot, built.manifest);
    const real = pcrsOf(boot);
    for (const pcr of [12, 13]) assert.notEqual(real.get(`sha256 ${pcr}`), '00'.repeat(32));
    assert.deepEqual(
      built.manifest.roots.map(({ mount }) => mount),
      ['/usr'],
    );
  });

  test('the root is made of the /usr: empty but for what the image has as its default', () => {
    assert.match(boot.serial, /vouchsafe-initrd: \/usr verified/);
    assert.match(textOf(boot, 'mounts'), /^root \/ tmpfs /m);
    assert.match(textOf(boot, 'mounts'), /^\/dev\/mapper\/usr \/usr erofs ro,/m);
    assert.equal(textOf(boot, 'hostname'), 'lab\n');
    assert.match(textOf(boot, 'cmdline'), /^usrhash=[0-9a-f]{64} /);
  });

  test('what the stub measured and handed over is where systemd looks for it', () => {
    const given = textOf(boot, 'given').split('\n');
    for (const path of [
      '/run/credentials/@encrypted/site',
      '/run/extensions/tools.raw',
      '/run/systemd/tpm2-pcr-signature.json',
      '/run/systemd/tpm2-pcr-public-key.pem',
    ]) {
      assert.ok(given.includes(path), path);
    }
  });

  test('the slots are what systemd-sysupdate expects', () => {
    using disk = FileSource.open(built.disk);
    const slots = requireGpt(disk).partitions.map(({ label, firstLba, lastLba }) => [label, lastLba - firstLba + 1n]);
    const sectors = BigInt((16 * 1024 * 1024) / 512);
    assert.deepEqual(
      slots.map(([label]) => label),
      ['esp', 'lab_1.0', 'lab_1.0_verity', 'lab_1.0_verity_sig', '_empty', '_empty', '_empty'],
    );
    assert.deepEqual([slots[1]?.[1], slots[4]?.[1]], [sectors, sectors]);
    assert.deepEqual([slots[2]?.[1], slots[3]?.[1]], [slots[5]?.[1], slots[6]?.[1]]);
  });
});

describe('a confidential guest', tools, () => {
  let folder: string;
  const cleanups: (() => void)[] = [];
  const out = (suffix: string): string => join(folder, 'out', `lab_1${suffix}`);

  before(() => {
    if (tools.skip !== undefined) return;
    folder = dir(cleanups);
    prepareKeys(folder);
    runBuild(folder, '1', ['profile: kata']);
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('opens the root that its command line names, as its platform launches it', async () => {
    const cmdline = readFileSync(out('.cmdline'), 'utf8').trim();
    assert.match(cmdline, /^cc_rootfs_verity\.scheme=dm-verity cc_rootfs_verity\.hash=[0-9a-f]{64} /);
    const verity = JSON.parse(readFileSync(out('.verity.json'), 'utf8')) as { rootHash: string; dataBlockSize: number };
    assert.ok(cmdline.includes(verity.rootHash));
    assert.equal(verity.dataBlockSize, 4096);
    const boot = await bootKernel({
      kernel: out('.vmlinuz'),
      initrd: readFileSync(out('.initrd')),
      cmdline,
      disks: [out('.raw')],
    });
    assert.match(boot.serial, /vouchsafe-initrd: root verified/);
    assert.ok(boot.results.has('mounts'), boot.serial);
  });

  test('a root hash that another key has signed is refused', async () => {
    const { modulesRoot, image } = debianCloudKernel();
    runVouchsafe('keys', 'generate', join(folder, 'others'));
    const initrd = await makeInitrd({
      modulesRoot,
      modules: VIRTUAL_MACHINE_MODULES,
      systemRoot: '/',
      busybox: '/bin/busybox',
      dmsetup: '/sbin/dmsetup',
      rootHashCertificate: readFileSync(join(folder, 'others', 'verity.crt')),
    });
    const cmdline = readFileSync(out('.cmdline'), 'utf8').trim();
    const boot = await bootKernel({ kernel: image, initrd, cmdline, disks: [out('.raw')] });
    assert.match(boot.serial, /vouchsafe-initrd: refused: .*the signature of the root hash is not by the certificate/);
    assert.equal(boot.results.size, 0);
  });
});
