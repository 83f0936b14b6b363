// SPDX-License-Identifier: Apache-2.0
// pcr predict of disks and manifests, what it writes, and log explain by what it wrote.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import type { FatMember } from '@vouchsafe/disk';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { writeBootDisk } from './boot-disk.ts';
import { madePe } from './made-efi.ts';
import { type Outcome, vouchsafe } from './support.ts';

interface Predicted {
  readonly covers: readonly number[];
  readonly condition: { readonly loader: string; readonly secureBoot: string; readonly commandLine?: string };
  readonly unpredicted: readonly { readonly pcr: number; readonly why: string }[];
  readonly phases: readonly { readonly phase: string; readonly pcrs: { readonly sha256: Record<string, string> } }[];
  readonly events?: readonly { readonly pcr: number; readonly description: string }[];
}

let dir: string;
const cleanups: (() => void)[] = [];
const run = (...args: string[]): Outcome => vouchsafe(dir, ...args);

function predict(...args: string[]): Predicted {
  const { code, stdout, stderr } = run('pcr', 'predict', '--json', ...args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Predicted;
}

const file = (path: string, content: string | Uint8Array): FatMember => ({
  path,
  content: memorySource(typeof content === 'string' ? Buffer.from(content) : content, path),
});
const uki = (): Uint8Array => Uint8Array.from(readFileSync(join(dir, 'uki.efi')));
const loader = madePe('systemd-boot 257.1');

before((t) => {
  dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
  void t;
  writeFileSync(join(dir, 'stub'), madePe('systemd-stub 257.1'));
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  const built = run('uki', 'build', '--stub', 'stub', '--linux', 'vmlinuz', '--cmdline', 'quiet', '-o', 'uki.efi');
  assert.equal(built.code, 0, built.stderr);
  const keys = run('keys', 'generate', 'keys');
  assert.equal(keys.code, 0, keys.stderr);
});
test.after(() => {
  for (const cleanup of cleanups) cleanup();
});

test('a disk: what firmware starts, with the partition table, as the UKI alone but for PCR 5', () => {
  for (const sectorSize of [512, 4096] as const) {
    writeBootDisk(join(dir, 'disk.img'), [file('EFI/BOOT/BOOTX64.EFI', uki())], sectorSize);
    const disk = predict('disk.img');
    const alone = predict('uki.efi');
    assert.deepEqual([disk.covers, disk.condition.loader], [[4, 5, 9, 11, 12, 13, 14], 'none']);
    assert.deepEqual(
      disk.unpredicted.filter(({ why }) => why === 'missing').map(({ pcr }) => pcr),
      [7],
    );
    const values = { ...disk.phases[0]?.pcrs.sha256 };
    delete values['5'];
    assert.deepEqual(values, alone.phases[0]?.pcrs.sha256);
  }
});

test('a disk with systemd-boot: the only entry, its companions, and loader.conf in PCR 5', () => {
  const members = [
    file('EFI/BOOT/BOOTX64.EFI', loader),
    file('EFI/Linux/edge_1+3-0.efi', uki()),
    file('EFI/Linux/edge_1.efi.extra.d/a.cred', 'secret'),
    file('loader/loader.conf', 'timeout 0\n'),
  ];
  writeBootDisk(join(dir, 'disk.img'), members);
  const disk = predict('disk.img', '--events');
  assert.equal(disk.condition.loader, 'systemd-boot 257.1');
  const of = (pcr: number) => disk.events?.filter((event) => event.pcr === pcr).map(({ description }) => description);
  assert.deepEqual(of(4)?.slice(2), ['the boot loader', 'the UKI']);
  assert.deepEqual(of(12), ['Credentials initrd']);
  assert.deepEqual(of(5)?.[2], 'the configuration of the boot loader');
  mkdirSync(join(dir, 'extra'), { recursive: true });
  writeFileSync(join(dir, 'extra', 'a.cred'), 'secret');
  writeFileSync(join(dir, 'sd-boot.efi'), loader);
  const alone = predict('uki.efi', '--loader', 'sd-boot.efi', '--extra', 'extra');
  for (const pcr of ['4', '9', '11', '12', '13']) {
    assert.equal(disk.phases[0]?.pcrs.sha256[pcr], alone.phases[0]?.pcrs.sha256[pcr], `PCR ${pcr}`);
  }
});

test('a disk with several entries: the default of loader.conf, or the one that is named; never a guess', () => {
  const entry = 'title shell\nefi /EFI/Linux/a.efi\noptions init=/bin/sh\n';
  const members = (conf: string) => [
    file('EFI/BOOT/BOOTX64.EFI', loader),
    file('EFI/Linux/a.efi', uki()),
    file('EFI/Linux/b.efi', uki()),
    file('loader/entries/shell.conf', entry),
    file('loader/loader.conf', conf),
  ];
  writeBootDisk(join(dir, 'disk.img'), members('timeout 0\n'));
  assert.equal(run('pcr', 'predict', 'disk.img').code, 3);
  assert.equal(predict('disk.img', '--entry', 'a').condition.commandLine, undefined);
  assert.equal(predict('disk.img', '--entry', 'shell').condition.commandLine, 'init=/bin/sh');
  assert.equal(run('pcr', 'predict', 'disk.img', '--entry', 'c').code, 3);
  writeBootDisk(join(dir, 'disk.img'), members('default b*\n'));
  assert.equal(predict('disk.img').condition.commandLine, undefined);
  writeBootDisk(join(dir, 'disk.img'), members('default @saved\n'));
  assert.equal(run('pcr', 'predict', 'disk.img').code, 3);
});

test('options that do not go with the file are wrong usage, a disk that boots nothing known is 3', () => {
  writeBootDisk(join(dir, 'disk.img'), [file('EFI/BOOT/BOOTX64.EFI', uki())]);
  for (const args of [
    ['disk.img', '--loader', 'stub'],
    ['uki.efi', '--entry', 'a'],
    ['uki.efi', '--pcrs', '5'],
    ['uki.efi', '--pcrs', '1'],
    ['uki.efi', '--key', 'keys/manifest.pub'],
    ['uki.efi', '--manifest', 'm.json'],
    ['uki.efi', '--pcrsig', 's.json'],
  ]) {
    assert.equal(run('pcr', 'predict', ...args).code, 2, args.join(' '));
  }
  for (const members of [
    [],
    [file('EFI/BOOT/BOOTX64.EFI', madePe(undefined))],
    [file('EFI/BOOT/BOOTX64.EFI', loader)],
    [file('EFI/BOOT/BOOTX64.EFI', uki()), file('EFI/BOOT/BOOTAA64.EFI', uki())],
  ]) {
    writeBootDisk(join(dir, 'odd.img'), members);
    assert.equal(run('pcr', 'predict', 'odd.img').code, 3);
  }
});

const MANIFEST = ['--name', 'edge', '--image-version', '1.4.0', '--manifest-private-key', 'keys/manifest.key'];

test('a manifest says the same as what it was made from, and is read by its key', () => {
  const bank = ['--bank', 'sha256,sha384'];
  assert.equal(run('pcr', 'predict', 'uki.efi', ...bank, '--manifest', 'edge.json', ...MANIFEST).code, 0);
  for (const state of ['on', 'off']) {
    const own = predict('uki.efi', '--secure-boot', state);
    const read = predict('edge.json', '--key', 'keys/manifest.pub', '--secure-boot', state);
    assert.deepEqual([read.phases, read.covers], [own.phases, own.covers]);
  }
  assert.equal(run('pcr', 'predict', 'edge.json', '--key', 'keys/manifest.crt').code, 0);
  assert.equal(run('pcr', 'predict', 'edge.json', '--key', 'keys/verity.crt').code, 3);
  assert.match(run('pcr', 'predict', 'edge.json').stderr, /signature was not checked/);
  assert.equal(run('pcr', 'predict', 'edge.json', '--bank', 'sha1').code, 3);
  const bytes = readFileSync(join(dir, 'edge.json'));
  assert.equal(run('pcr', 'predict', 'uki.efi', '--manifest', 'edge.json', ...MANIFEST).code, 3);
  assert.equal(run('pcr', 'predict', 'uki.efi', ...bank, '--manifest', 'edge.json', ...MANIFEST, '--force').code, 0);
  assert.deepEqual(readFileSync(join(dir, 'edge.json')), bytes);
  assert.equal(run('pcr', 'predict', 'edge.json', '--key', 'keys/manifest.pub', '--corim', 'edge.corim').code, 0);
  // Tag 501. draft-ietf-rats-corim-10, section 4.1.
  assert.equal(readFileSync(join(dir, 'edge.corim')).subarray(0, 3).toString('hex'), 'd901f5');
  // Nothing of the machine that made it is in it.
  assert.ok(!Buffer.from(JSON.parse(bytes.toString()).payload, 'base64').includes(dir));
});

test('components for systemd-pcrlock and signed policies are written, or nothing is', () => {
  const args = ['uki.efi', '--pcrlock', 'lock', '--pcrsig', 'uki.pcrsig', '--pcr-private-key', 'keys/pcr.key'];
  assert.equal(run('pcr', 'predict', ...args).code, 0);
  assert.ok(existsSync(join(dir, 'lock', '650-uki.pcrlock')));
  const policies = JSON.parse(readFileSync(join(dir, 'uki.pcrsig'), 'utf8')) as { sha256: unknown[] };
  assert.equal(policies.sha256.length, 4);
  assert.equal(run('pcr', 'predict', ...args).code, 3);
  assert.equal(
    run('pcr', 'predict', 'uki.efi', '--pcrlock', 'new', '--pcrsig', 'x', '--pcr-private-key', 'keys/none').code,
    3,
  );
  assert.ok(!existsSync(join(dir, 'new', '650-uki.pcrlock')) && !existsSync(join(dir, 'x')));
});

test('log explain: 0 when all is as expected, 1 when it is not, with the reason', needsVectors('image', 'boot'), () => {
  const boot = (...parts: string[]): string => vectorPath('image', 'boot', ...parts);
  const make = (name: string, version: string, ...args: string[]): void => {
    const options = ['--name', 'edge', '--image-version', version, '--manifest-private-key', 'keys/manifest.key'];
    const made = run('pcr', 'predict', ...args, '--manifest', name, ...options);
    assert.equal(made.code, 0, made.stderr);
  };
  make('old.json', '1.3.2', boot('uki-252.39.efi'));
  make('new.json', '1.4.0', boot('uki-257.13-signed.efi'), '--loader', boot('sd-boot-257.13-signed.efi'));
  const explain = (log: string, ...args: string[]) =>
    run('log', 'explain', boot(log, 'binary_bios_measurements'), '--key', 'keys/manifest.pub', ...args);
  const both = ['--manifest', 'old.json', '--manifest', 'new.json'];
  const good = explain('direct-stub252', ...both);
  assert.deepEqual([good.code, /as edge 1\.3\.2 boots with Secure Boot off/.test(good.stdout)], [0, true], good.stdout);
  assert.match(good.stdout, /expected: the content of \.initrd, from uki-252\.39\.efi, \.initrd at 0x/);
  const bad = explain('sdboot252-stub252', ...both, '--json');
  const document = JSON.parse(bad.stdout) as {
    isAsExpected: boolean;
    manifest: { version: string; isVerified: boolean };
    events: { judgement: string; reason?: { code: string } }[];
  };
  assert.deepEqual([bad.code, document.isAsExpected], [1, false]);
  assert.deepEqual(document.manifest, { name: 'edge', version: '1.3.2', isVerified: true });
  const codes = document.events.flatMap(({ reason }) => reason?.code ?? []);
  for (const code of ['program_started', 'command_line_passed', 'credentials_added', 'extensions_added']) {
    assert.ok(codes.includes(code), code);
  }
  const forced = explain('direct-stub252', '--manifest', 'old.json', '--secure-boot', 'on');
  assert.equal(forced.code, 1);
  assert.match(forced.stdout, /Secure Boot is off, so firmware measured the kernel inside the UKI/);
  assert.equal(run('log', 'explain', 'uki.efi', '--manifest', 'old.json').code, 3);
  assert.equal(run('log', 'explain', boot('direct-stub252', 'binary_bios_measurements')).code, 2);
  const wrong = ['--manifest', 'old.json', '--key', 'keys/verity.crt'];
  assert.equal(run('log', 'explain', boot('direct-stub252', 'binary_bios_measurements'), ...wrong).code, 3);
});
