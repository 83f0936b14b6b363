// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { TCG_EVENT_TYPES, type TcgEventType } from '@vouchsafe/eventlog';
import { execute, tpm2PcrExtend } from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { writeBootDisk } from './boot-disk.ts';
import { madePe } from './made-efi.ts';
import { vouchsafe } from './support.ts';

/** An event of a boot that is made up here. */
export interface MadeEvent {
  readonly pcr: number;
  readonly digest: Uint8Array;
  readonly type: TcgEventType;
  readonly data: Uint8Array;
}

export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest());
export const SEPARATOR = new Uint8Array(4);
const separatorOf = (pcr: number): MadeEvent => ({
  pcr,
  digest: sha256(SEPARATOR),
  type: 'EV_SEPARATOR',
  data: SEPARATOR,
});
const ofFirmware = (pcr: number, text: string): MadeEvent => {
  const data = Uint8Array.from(Buffer.from(text));
  return { pcr, digest: sha256(data), type: 'EV_S_CRTM_VERSION', data };
};

/** A log of one bank as firmware writes it. PC Client Platform Firmware Profile 1.06, section 10.2. */
export function logOf(events: readonly MadeEvent[]): Uint8Array {
  const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
  const header = Buffer.concat([
    Buffer.from('Spec ID Event03\0'),
    u32(0),
    Buffer.from([0, 2, 0, 2]),
    u32(1),
    Buffer.from([0x0b, 0, 32, 0, 0]),
  ]);
  const lines = events.flatMap(({ pcr, digest, type, data }) => [
    ...[pcr, TCG_EVENT_TYPES[type], 1].map(u32),
    Buffer.from([0x0b, 0]),
    digest,
    u32(data.length),
    data,
  ]);
  return Uint8Array.from(Buffer.concat([u32(0), u32(3), Buffer.alloc(20), u32(header.length), header, ...lines]));
}

/** An image, its manifest, and what a machine measures that boots it without Secure Boot. */
export function madeImage(dir: string): MadeEvent[] {
  const run = (...args: string[]): void => {
    const { code, stderr } = vouchsafe(dir, ...args);
    assert.equal(code, 0, stderr);
  };
  writeFileSync(join(dir, 'stub'), madePe('systemd-stub 257.1'));
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  run('keys', 'generate', 'keys');
  run('uki', 'build', '--stub', 'stub', '--linux', 'vmlinuz', '--cmdline', 'quiet', '-o', 'uki.efi');
  const content = memorySource(Uint8Array.from(readFileSync(join(dir, 'uki.efi'))), 'uki');
  writeBootDisk(join(dir, 'disk.img'), [{ path: 'EFI/BOOT/BOOTX64.EFI', content }]);
  const signed = ['--name', 'edge', '--image-version', '1.4.0', '--manifest-private-key', 'keys/manifest.key'];
  run('pcr', 'predict', 'disk.img', '--secure-boot', 'off', '--vars', 'keys', '--manifest', 'edge.json', ...signed);
  const envelope = JSON.parse(readFileSync(join(dir, 'edge.json'), 'utf8')) as { payload: string };
  const manifest = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
    events: { pcr: number; digests: { sha256: string } }[];
    boots: { condition: { secureBoot: string }; events: number[] }[];
  };
  const boot = manifest.boots.find(({ condition }) => condition.secureBoot === 'off');
  assert.ok(boot);
  const predicted = boot.events.map((place): MadeEvent => {
    const { pcr, digests } = manifest.events[place] as (typeof manifest.events)[number];
    const digest = parseHex(digests.sha256);
    const isSeparator = Buffer.from(digest).equals(Buffer.from(sha256(SEPARATOR)));
    return isSeparator
      ? separatorOf(pcr)
      : { pcr, digest, type: 'EV_EFI_BOOT_SERVICES_DRIVER', data: new Uint8Array() };
  });
  return [ofFirmware(0, 'firmware 1'), ...[0, 1, 2, 3, 6].map(separatorOf), ...predicted];
}

/** Extends the PCRs of a software TPM as the events did. */
export async function measure(swtpmPath: string, events: readonly MadeEvent[]): Promise<void> {
  const tpm = await openSwtpm({ path: swtpmPath });
  for (const { pcr, digest } of events) {
    await execute(tpm, tpm2PcrExtend, { pcrHandle: pcr, digests: [{ hashAlg: 'sha256', digest }] });
  }
  await tpm.close();
}
