// SPDX-License-Identifier: Apache-2.0
// A Debian system with systemd as its first program: built from a recipe, predicted, booted once; its phases in PCR 11 are
// those of the manifest, and every event of its log is predicted, both ways.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { decodeTcgLog } from '@vouchsafe/eventlog';
import {
  type BootResult,
  bootDisk,
  buildRecipeImage,
  type GuestReport,
  guestReport,
  machineVariables,
  type RecipeImage,
  runVouchsafe,
  systemRoot,
  unloggedPcrs,
  writeSystemOverlay,
} from '@vouchsafe/lab';
import type { ManifestBoot } from '@vouchsafe/manifest';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { eventsOf } from './recipe-support.ts';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg', 'mmdebstrap');
const BANK = 'sha256';

describe('a Debian system with systemd, from a recipe', tools, () => {
  let image: RecipeImage;
  let boot: BootResult;
  let predicted: ManifestBoot;
  let report: GuestReport;
  let explained: LogExplanation;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const [keys, firmwareVariables] = [join(dir, 'keys'), join(dir, 'variables.fd')];
    runVouchsafe('keys', 'generate', keys);
    writeFileSync(firmwareVariables, machineVariables(keys, 'on'));
    image = buildRecipeImage(dir, keys, {
      name: 'debian',
      root: systemRoot(writeSystemOverlay(join(dir, 'overlay'))),
      // systemd finds the stub's variables in efivarfs, and a place to write to in memory.
      initrd:
        '{ modules: [virtio_pci, virtio_blk, virtio_console, virtio_net, dm-verity, erofs, efivarfs, dmi-sysfs] }',
      'command-line': 'console=ttyS0 panic=-1 quiet systemd.volatile=state',
      phases: "['enter-initrd:leave-initrd:sysinit', 'enter-initrd:leave-initrd:sysinit:ready']",
    });
    const on = image.manifest.boots.find(({ condition }) => condition.secureBoot === 'on');
    assert.ok(on);
    predicted = on;
    boot = await bootDisk({
      ...{ disk: image.disk, firmwareVariables, shape: { memoryMib: 768, processors: 1 }, timeoutMs: 540_000 },
      credentials: { 'vouchsafe.greeting': 'from the host' },
      orders: [
        'cat /proc/1/comm >first-program',
        'systemctl is-system-running >running; systemctl --failed --no-legend >failed',
        'cat /run/credentials/@system/vouchsafe.greeting >credential',
        'findmnt -n -o FSTYPE,OPTIONS / >root-mount',
      ],
    });
    assert.equal(boot.outcome, 'reported', boot.serial);
    report = guestReport(boot) as GuestReport;
    explained = explainLog(decodeTcgLog(report.log).events, { manifests: [image.manifest] });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  const said = (name: string): string =>
    Buffer.from(boot.results.get(name) ?? [])
      .toString('utf8')
      .trim();
  const pcr = (index: number): string =>
    toHex(report.pcrs.find((value) => value.bank === BANK && value.pcr === index)?.value ?? new Uint8Array());

  test('the first program is systemd, on a read-only root, and nothing has failed', () => {
    assert.equal(said('first-program'), 'systemd');
    assert.match(said('root-mount'), /^erofs\s+ro\b/);
    assert.equal(said('failed'), '');
  });

  test('systemd takes a credential that the machine hands it', () => {
    assert.equal(said('credential'), 'from the host');
  });

  test('PCR 11 went through the phases that were predicted', () => {
    assert.deepEqual(
      predicted.phases.map(({ phase }) => phase),
      [
        '',
        'enter-initrd',
        'enter-initrd:leave-initrd',
        'enter-initrd:leave-initrd:sysinit',
        'enter-initrd:leave-initrd:sysinit:ready',
      ],
    );
    assert.equal(pcr(11), predicted.phases.at(-1)?.pcrs[BANK]?.[11]);
  });

  test('every other PCR that the image decides is as predicted', () => {
    assert.deepEqual(predicted.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
    const values = predicted.phases[0]?.pcrs[BANK] ?? {};
    for (const index of predicted.covers.filter((one) => one !== 11)) {
      assert.equal(pcr(index), values[index], `PCR ${index}`);
    }
  });

  test('predicted events are the real ones, in their order, none missing and none besides', () => {
    const events = eventsOf(decodeTcgLog(report.log), image.manifest, predicted);
    assert.deepEqual(events.logged, events.predicted);
    assert.ok(explained.isAsExpected);
    assert.deepEqual(unloggedPcrs(report), []);
  });
});
