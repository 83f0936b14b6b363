// SPDX-License-Identifier: Apache-2.0
// Copies that were tampered with, without booting them: what changed on the disk, and what a newer stub than the one that is
// booted here makes of an addon.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { commonPartitionType } from '@vouchsafe/disk';
import { writeDdi } from '@vouchsafe/image';
import { openBootDisk } from '@vouchsafe/image/boot';
import { expectationOf, runVouchsafe, STUB, tamperedCopy } from '@vouchsafe/lab';
import { predictBoot } from '@vouchsafe/measure';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';

const SEED = '0f6a8c3e-5d1b-4a52-9f43-2c1d7e8b9a60';

/** A disk with nothing but an ESP that firmware starts a UKI from. */
async function diskOf(uki: string, path: string): Promise<void> {
  const content = memorySource(Uint8Array.from(readFileSync(uki)), 'UKI');
  const members = [{ path: 'EFI/BOOT/BOOTX64.EFI', content }];
  await writeDdi({
    partitions: [
      { name: 'esp', typeUuid: commonPartitionType('esp'), content: { kind: 'vfat', members, label: 'ESP' } },
    ],
    ...{ seedUuid: SEED, timestampSeconds: 0, path, force: true },
  });
}

/** PCR and digest of each event, as predicted for a disk. */
function predicted(path: string): string[] {
  using disk = FileSource.open(path);
  const { artefacts } = openBootDisk(disk);
  const { events } = predictBoot(['sha256'], artefacts, { isSecureBootOn: false });
  return events.map(({ pcr, digests }) => `${pcr} ${toHex(digests.get('sha256') ?? new Uint8Array())}`);
}

const skip = existsSync(STUB) ? needsVectors('image', 'boot') : { skip: 'missing tool: systemd-boot-efi' };

for (const [uki, version] of [
  ['uki-252.39.efi', 252],
  ['uki-257.13-signed.efi', 257],
] as const) {
  test(`an addon beside a UKI with the stub of systemd ${version}`, skip, async (t) => {
    const dir = tempDir(t);
    const [keys, disk, copy] = [join(dir, 'keys'), join(dir, 'disk.raw'), join(dir, 'copy.raw')];
    runVouchsafe('keys', 'generate', keys);
    await diskOf(vectorPath('image', 'boot', uki), disk);
    await tamperedCopy(['addon'], disk, copy, { keys });
    const before = predicted(disk);
    const added = predicted(copy).filter((event) => !before.includes(event));
    const isLoaded = version >= 254;
    assert.equal(expectationOf('addon', 'off', disk).kind, isLoaded ? 'visible' : 'unnoticed');
    // The addon as a program, and its command line: in PCR 12 by the stub, in PCR 9 as the kernel gets it.
    assert.deepEqual([...new Set(added.map((event) => event.split(' ')[0]))].sort(), isLoaded ? ['12', '4', '9'] : []);
  });
}

test(
  'a copy without a change is the disk',
  existsSync(STUB) ? {} : { skip: 'missing tool: systemd-boot-efi' },
  async (t) => {
    const dir = tempDir(t);
    const [disk, copy] = [join(dir, 'disk.raw'), join(dir, 'copy.raw')];
    await diskOf(STUB, disk);
    const original = readFileSync(disk);
    await tamperedCopy([], disk, copy);
    assert.ok(readFileSync(copy).equals(original));
  },
);
