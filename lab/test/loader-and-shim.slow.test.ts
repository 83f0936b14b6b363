// SPDX-License-Identifier: Apache-2.0
// Boots without a boot loader, by way of systemd-boot, and by way of shim, with Secure Boot on and off: what was predicted before
// the machine was started, from the disk and its variables alone, against its log and its PCRs, both ways. Each boot is emulated and takes half a minute or more.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { explainLog } from '@vouchsafe/appraise';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { FatMember } from '@vouchsafe/disk';
import { decodeTcgLog, digestOf } from '@vouchsafe/eventlog';
import { openBootDisk } from '@vouchsafe/image/boot';
import {
  type BootResult,
  bootDisk,
  buildLabImage,
  debianShim,
  type LabImage,
  machineVariables,
  readVariableStore,
  runVouchsafe,
  writeLabDiskWith,
} from '@vouchsafe/lab';
import { type Bank, makeManifest } from '@vouchsafe/manifest';
import { type BootPrediction, predictBoot, SHIM_LOCK } from '@vouchsafe/measure';
import {
  certificateLists,
  encodeSignatureLists,
  liveVariables,
  VARIABLE_ATTRIBUTE,
  writeVariables,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificates } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';

const NONCE = '00112233445566778899aabbccddeeff';
const LOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi';
/** With Microsoft's keys, which shim is signed by. */
const MICROSOFT_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd';
const OWNER = '8d8c3ab2-6f5e-4f0c-9b1f-6d7f0c1b2a30';
/** Banks that a fresh swtpm has, of those that the guest reports. */
const BANKS: readonly Bank[] = ['sha256'];
const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');

const source = (path: string, label: string) => memorySource(Uint8Array.from(readFileSync(path)), label);
const CONFIGURATION = memorySource(utf8('timeout 0\n'), '/loader/loader.conf');
/** What a stub looks for beside the UKI, so that PCR 12 and 13 have something to hold. */
const COMPANIONS = [
  { name: 'motd.cred', content: memorySource(utf8('hello'), 'motd.cred') },
  { name: 'tools.raw', content: memorySource(new Uint8Array(4096).fill(7), 'tools.raw') },
];

function fileOf({ results, serial }: BootResult, name: string): Uint8Array {
  const file = results.get(name);
  assert.ok(file, `the guest handed out no ${name}:\n${serial}`);
  return file;
}

/** PCR and digest of each event of the PCRs that are covered, as the firmware logged them. */
function logged(boot: BootResult, covers: readonly number[], bank: Bank): string[] {
  const { events } = decodeTcgLog(fileOf(boot, 'firmware.log'));
  return events
    .filter(({ pcr, type }) => covers.includes(pcr) && type !== 'EV_NO_ACTION')
    .map((event) => `${event.pcr} ${toHex(digestOf(event, bank) ?? new Uint8Array(0))}`);
}

/** As the guest read it: "sha256 4 hex" lines. */
function pcrOf(boot: BootResult, pcr: number): string | undefined {
  const lines = Buffer.from(fileOf(boot, 'pcrs')).toString('latin1').split('\n');
  return lines
    .find((line) => line.startsWith(`sha256 ${pcr} `))
    ?.split(' ')[2]
    ?.toLowerCase();
}

const shown = ({ events }: BootPrediction, bank: Bank): string[] =>
  events.map(({ pcr, digests }) => `${pcr} ${toHex(digests.get(bank) ?? new Uint8Array(0))}`);

describe('boots by each way', tools, () => {
  let image: LabImage;
  let dir: string;
  let loaderPath: string;
  let certificate: Certificate;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    image = await buildLabImage(dir, NONCE);
    const [pem, key] = [join(image.keys, 'db.crt'), join(image.keys, 'db.key')];
    loaderPath = join(dir, 'systemd-boot.efi');
    runVouchsafe('uki', 'sign', LOADER, '--key', key, '--certificate', pem, '-o', loaderPath);
    certificate = decodeCertificates(readFileSync(pem))[0] as Certificate;
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  /** systemd-boot's part of an ESP. */
  const entries = (): FatMember[] => [
    { path: 'EFI/Linux/lab.efi', content: memorySource(image.uki, 'UKI') },
    ...COMPANIONS.map(({ name, content }) => ({ path: `EFI/Linux/lab.efi.extra.d/${name}`, content })),
    { path: 'loader/loader.conf', content: CONFIGURATION },
  ];

  /** Predicts from the disk and the variable store alone, then boots, and compares both ways. */
  async function bootAndCompare(
    esp: readonly FatMember[],
    firmwareVariables: string,
    isSecureBootOn = true,
  ): Promise<BootPrediction> {
    const path = join(dir, 'disk.img');
    await writeLabDiskWith(path, esp, image.root);
    using disk = FileSource.open(path);
    const { artefacts } = openBootDisk(disk);
    const variables = liveVariables(readVariableStore(firmwareVariables));
    const predicted = predictBoot(BANKS, { ...artefacts, variables }, { isSecureBootOn });
    assert.deepEqual(predicted.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
    const manifest = makeManifest({
      ...{ name: 'lab', version: '1', architecture: 'x86-64', artefacts: [], roots: [], banks: BANKS },
      boots: [predicted],
    });
    const boot = await bootDisk({ disk: path, firmwareVariables });
    assert.equal(boot.outcome, 'reported', boot.serial);
    for (const bank of BANKS) assert.deepEqual(shown(predicted, bank), logged(boot, predicted.covers, bank), bank);
    const pcrs = manifest.boots[0]?.phases[0]?.pcrs.sha256 ?? {};
    for (const pcr of predicted.covers.filter((one) => one !== 11))
      assert.equal(pcrs[pcr], pcrOf(boot, pcr), `PCR ${pcr}`);
    const explained = explainLog(decodeTcgLog(fileOf(boot, 'firmware.log')).events, { manifests: [manifest] });
    assert.ok(explained.isAsExpected, JSON.stringify(explained.events.filter(({ reason }) => reason !== undefined)));
    return predicted;
  }

  /** The same keys, and Secure Boot switched off. */
  function variablesOff(): string {
    const path = join(dir, 'off.fd');
    writeFileSync(path, machineVariables(image.keys, 'off'));
    return path;
  }

  const direct = (): FatMember[] => [
    { path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(image.uki, 'UKI') },
    ...COMPANIONS.map(({ name, content }) => ({ path: `EFI/BOOT/BOOTX64.EFI.extra.d/${name}`, content })),
  ];

  for (const isOn of [true, false]) {
    test(`without a boot loader, Secure Boot ${isOn ? 'on' : 'off'}: every event but the machine’s`, async () => {
      const { events } = await bootAndCompare(direct(), isOn ? image.firmwareVariables : variablesOff(), isOn);
      // Off, firmware measures the kernel inside the UKI as a program of its own.
      assert.equal(
        events.some(({ pcr, origin }) => pcr === 4 && origin.section === '.linux'),
        !isOn,
      );
    });
  }

  test('systemd-boot: every event but the machine’s, in the order of the log', async () => {
    const esp = [{ path: 'EFI/BOOT/BOOTX64.EFI', content: source(loaderPath, 'systemd-boot') }, ...entries()];
    const { condition } = await bootAndCompare(esp, image.firmwareVariables);
    assert.match(condition.loader, /^systemd-boot 252/);
  });

  test('systemd-boot with Secure Boot off: every event but the machine’s, in the order of the log', async () => {
    const esp = [{ path: 'EFI/BOOT/BOOTX64.EFI', content: source(loaderPath, 'systemd-boot') }, ...entries()];
    const { condition } = await bootAndCompare(esp, variablesOff(), false);
    assert.equal(condition.secureBoot, 'off');
  });

  test('shim, with our key in MokList: every event but the machine’s, in the order of the log', async () => {
    const shimPath = debianShim();
    const esp = [
      { path: 'EFI/BOOT/BOOTX64.EFI', content: source(shimPath, 'shim') },
      { path: 'EFI/BOOT/grubx64.efi', content: source(loaderPath, 'systemd-boot') },
      ...entries(),
    ];
    const firmwareVariables = join(dir, 'shim-variables.fd');
    const { nonVolatile, bootserviceAccess } = VARIABLE_ATTRIBUTE;
    const mokList = {
      name: 'MokList',
      vendor: SHIM_LOCK,
      attributes: nonVolatile | bootserviceAccess,
      timeBytes: new Uint8Array(16),
      data: encodeSignatureLists(certificateLists([certificate.bytes], OWNER)),
    };
    writeFileSync(firmwareVariables, writeVariables(readVariableStore(MICROSOFT_VARIABLES), [mokList]));
    const { condition, events } = await bootAndCompare(esp, firmwareVariables);
    assert.equal(condition.shim, 'shim 16.1');
    assert.equal(events.filter(({ pcr }) => pcr === 14).length, 3);
  });
});
