// SPDX-License-Identifier: Apache-2.0
// quote verify --manifest: the state of a software TPM that went through a boot, quoted, beside the manifest of the image.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { TCG_EVENT_TYPES, type TcgEventType } from '@vouchsafe/eventlog';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { execute, tpm2PcrExtend } from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { writeBootDisk } from './boot-disk.ts';
import { madePe } from './made-efi.ts';
import { type Outcome, vouchsafe } from './support.ts';

interface Event {
  readonly pcr: number;
  readonly digest: Uint8Array;
  readonly type: TcgEventType;
  readonly data: Uint8Array;
}

const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest());
const SEPARATOR = new Uint8Array(4);
const separatorOf = (pcr: number): Event => ({ pcr, digest: sha256(SEPARATOR), type: 'EV_SEPARATOR', data: SEPARATOR });
const ofFirmware = (pcr: number, text: string): Event => {
  const data = Uint8Array.from(Buffer.from(text));
  return { pcr, digest: sha256(data), type: 'EV_S_CRTM_VERSION', data };
};

/** A log of one bank as firmware writes it. PC Client Platform Firmware Profile 1.06, section 10.2. */
function logOf(events: readonly Event[]): Uint8Array {
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

const NONCE = '00112233445566778899aabbccddeeff';

/** An image, its manifest, and what a machine measures that boots it without Secure Boot. */
function madeImage(dir: string): Event[] {
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
  const predicted = boot.events.map((place): Event => {
    const { pcr, digests } = manifest.events[place] as (typeof manifest.events)[number];
    const digest = parseHex(digests.sha256);
    const isSeparator = Buffer.from(digest).equals(Buffer.from(sha256(SEPARATOR)));
    return isSeparator
      ? separatorOf(pcr)
      : { pcr, digest, type: 'EV_EFI_BOOT_SERVICES_DRIVER', data: new Uint8Array() };
  });
  return [ofFirmware(0, 'firmware 1'), ...[0, 1, 2, 3, 6].map(separatorOf), ...predicted];
}

/** A software TPM that was extended with the events; its quote over PCR 0 to 15, checked with these options. */
async function quotedMachine(t: TestContext, dir: string, measured: readonly Event[]) {
  const swtpm = await startSwtpm(t, tempDir(t));
  const tpm = await openSwtpm({ path: swtpm.path });
  for (const { pcr, digest } of measured) {
    await execute(tpm, tpm2PcrExtend, { pcrHandle: pcr, digests: [{ hashAlg: 'sha256', digest }] });
  }
  await tpm.close();
  const pcrs = `sha256:${Array.from({ length: 16 }, (_, pcr) => pcr).join(',')}`;
  const files = ['--attest', 'q.attest', '--signature', 'q.sig', '--nonce', NONCE];
  const quoted = vouchsafe(
    dir,
    'tpm',
    'quote',
    '--tpm',
    `swtpm:${swtpm.path}`,
    ...files,
    '--pcr-values',
    'q.pcrs',
    '--ak-public',
    'ak.pem',
    '--pcrs',
    pcrs,
    '--force',
  );
  assert.equal(quoted.code, 0, quoted.stderr);
  return (log: readonly Event[], ...more: string[]): Outcome => {
    writeFileSync(join(dir, 'boot.log'), logOf(log));
    return vouchsafe(
      dir,
      'quote',
      'verify',
      '--ak',
      'ak.pem',
      ...files,
      '--pcrs',
      'q.pcrs',
      '--log',
      'boot.log',
      ...more,
    );
  };
}

interface Answer {
  readonly isGood: boolean;
  readonly status: string;
  readonly findings: readonly { readonly code: string; readonly where: { readonly pcr?: number } }[];
  readonly explanation: { readonly manifest: { readonly version: string; readonly isVerified: boolean } };
}

const answerOf = ({ stdout }: Outcome): Answer => JSON.parse(stdout) as Answer;
const codesOf = (outcome: Outcome): string[] => [...new Set(answerOf(outcome).findings.map(({ code }) => code))];
const MANIFEST = ['--manifest', 'edge.json', '--key', 'keys/manifest.pub'];

test('a boot of the image: nothing is wrong, and only the firmware is unknown', needsTool('swtpm'), async (t) => {
  const dir = tempDir(t);
  const boot = madeImage(dir);
  const verify = await quotedMachine(t, dir, boot);
  const strict = verify(boot, ...MANIFEST, '--json');
  assert.deepEqual(
    [strict.code, answerOf(strict).status, codesOf(strict)],
    [1, 'warning', ['firmware_unknown']],
    strict.stderr,
  );
  assert.deepEqual(answerOf(strict).explanation.manifest, { name: 'edge', version: '1.4.0', isVerified: true });
  const accepted = verify(boot, ...MANIFEST, '--accept-warnings');
  assert.deepEqual([accepted.code, accepted.stdout.startsWith('warning: ')], [0, true], accepted.stdout);
  // The log of somewhere else, the state of Secure Boot, another challenge, a manifest that another signed, none.
  assert.deepEqual(codesOf(verify(boot.slice(0, -1), ...MANIFEST, '--accept-warnings', '--json')), ['pcr_mismatch']);
  assert.equal(
    verify(boot, ...MANIFEST, '--secure-boot', 'on', '--accept-warnings').code,
    3,
    'no such boot is in the manifest',
  );
  assert.deepEqual(codesOf(verify(boot, ...MANIFEST, '--nonce', '00', '--json')), ['quote_nonce']);
  assert.equal(verify(boot, '--manifest', 'edge.json', '--key', 'keys/verity.crt').code, 3);
  assert.equal(verify(boot, '--key', 'keys/manifest.pub').code, 2);
  const unsigned = verify(boot, '--manifest', 'edge.json', '--json');
  assert.deepEqual([unsigned.code, answerOf(unsigned).explanation.manifest.isVerified], [1, false]);
});

test(
  'another program in PCR 4 is a contradiction, whatever is accepted, and is named',
  needsTool('swtpm'),
  async (t) => {
    const dir = tempDir(t);
    const boot = madeImage(dir);
    const program: Event = {
      pcr: 4,
      digest: sha256(SEPARATOR.subarray(1)),
      type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
      data: new Uint8Array(),
    };
    // Started before the UKI, which is the last that firmware starts.
    const at = boot.findLastIndex(({ pcr }) => pcr === 4);
    const infected = [...boot.slice(0, at), program, ...boot.slice(at)];
    const verify = await quotedMachine(t, dir, infected);
    const hidden = verify(boot, ...MANIFEST, '--accept-warnings', '--json');
    assert.deepEqual([hidden.code, codesOf(hidden)], [1, ['pcr_mismatch']]);
    const shown = verify(infected, ...MANIFEST, '--accept-warnings');
    assert.equal(shown.code, 1, shown.stdout);
    assert.match(shown.stdout, /^contraindicated: /);
    assert.match(shown.stdout, /error: event_unexpected PCR 4/);
    assert.match(shown.stdout, /! PCR {2}4 [0-9a-f]{16} {2}unexpected: /);
  },
);
