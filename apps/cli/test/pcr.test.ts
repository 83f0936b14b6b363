// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { madePe } from './made-efi.ts';
import { vouchsafe } from './support.ts';

interface Predicted {
  readonly phases: readonly { readonly phase: string; readonly pcrs: Record<string, Record<string, string>> }[];
  readonly events?: readonly { readonly pcr: number; readonly digests: Record<string, string> }[];
}

function predict(dir: string, ...args: string[]): Predicted {
  const { code, stdout, stderr } = vouchsafe(dir, 'pcr', 'predict', '--json', ...args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A folder with an image that nothing runs. */
function made(t: Parameters<typeof tempDir>[0]): string {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'stub'), madePe('systemd-stub 252.1'));
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  const built = vouchsafe(dir, 'uki', 'build', '--stub', 'stub', '--linux', 'vmlinuz', '-o', 'uki.efi');
  assert.equal(built.code, 0, built.stderr);
  return dir;
}

test('phases begin before userspace, and extend PCR 11 alone', (t) => {
  const dir = made(t);
  const { phases } = predict(dir, 'uki.efi', '--pcrs', '4,11', '--bank', 'sha256,sha384');
  assert.deepEqual(
    phases.map(({ phase }) => phase),
    [
      '',
      'enter-initrd',
      'enter-initrd:leave-initrd',
      'enter-initrd:leave-initrd:sysinit',
      'enter-initrd:leave-initrd:sysinit:ready',
    ],
  );
  for (const [bank, digits] of [
    ['sha256', 64],
    ['sha384', 96],
  ] as const) {
    const of = (pcr: string) => phases.map(({ pcrs }) => pcrs[bank]?.[pcr] ?? '');
    assert.equal(new Set(of('4')).size, 1);
    assert.equal(new Set(of('11')).size, phases.length);
    for (const value of [...of('4'), ...of('11')]) assert.match(value, new RegExp(`^[0-9a-f]{${digits}}$`));
  }
  const own = predict(dir, 'uki.efi', '--pcrs', '11', '--phases', 'enter-initrd,:');
  assert.deepEqual(
    own.phases,
    [phases[0], phases[1]].map((one) => ({ phase: one?.phase, pcrs: { sha256: { 11: one?.pcrs['sha256']?.['11'] } } })),
  );
});

test('a PCR that nothing extends is all zeros, which is to be compared as well', (t) => {
  const dir = made(t);
  const [first] = predict(dir, 'uki.efi').phases;
  assert.deepEqual(Object.keys(first?.pcrs['sha256'] ?? {}), ['4', '9', '11', '12', '13', '14']);
  assert.equal(first?.pcrs['sha256']?.['12'], '0'.repeat(64));
  const [other] = predict(dir, 'uki.efi', '--options', 'init=/bin/sh', '--secure-boot', 'off').phases;
  assert.notEqual(other?.pcrs['sha256']?.['12'], '0'.repeat(64));
});

test('whether Secure Boot is on decides what PCR 4 becomes with an old stub', (t) => {
  const dir = made(t);
  const count = (state: string): number | undefined =>
    predict(dir, 'uki.efi', '--pcrs', '4', '--events', '--secure-boot', state).events?.length;
  // The action, the separator and the image; with Secure Boot off the kernel inside too.
  assert.deepEqual([count('on'), count('off')], [3, 4]);
});

interface Recorded {
  /** By bank and number: 'sha256:4'. */
  readonly pcr: Record<string, string>;
}
const BOOT = (...parts: string[]): string => vectorPath('image', 'boot', ...parts);

test('what is predicted is what recorded boots measured', needsVectors('image', 'boot'), (t) => {
  const dir = tempDir(t);
  const recorded = JSON.parse(readFileSync(BOOT('EXPECTED.json'), 'utf8')) as Record<string, Recorded>;
  for (const [boot, args] of [
    ['direct-stub252', [BOOT('uki-252.39.efi'), '--secure-boot', 'off']],
    [
      'secureboot-257',
      [BOOT('uki-257.13-signed.efi'), '--secure-boot', 'on', '--loader', BOOT('sd-boot-257.13-signed.efi')],
    ],
  ] as const) {
    const [first] = predict(dir, ...args, '--pcrs', '4,9,11').phases;
    for (const pcr of ['4', '9', '11']) {
      assert.equal(first?.pcrs['sha256']?.[pcr], recorded[boot]?.pcr[`sha256:${pcr}`], `${boot}, PCR ${pcr}`);
    }
  }
});

test('wrong usage is 2, what cannot be predicted is 3', (t) => {
  const dir = made(t);
  const code = (...args: string[]) => vouchsafe(dir, 'pcr', 'predict', ...args).code;
  assert.equal(code(), 2);
  assert.equal(code('uki.efi', '--secure-boot', 'perhaps'), 2);
  assert.equal(code('uki.efi', '--pcrs', '7'), 2);
  assert.equal(code('uki.efi', '--bank', 'md5'), 2);
  assert.equal(code('vmlinuz'), 3);
  assert.equal(code('nothing'), 3);
});

test('PCR 15 of a machine whose identity is given: volumes, then its id, then file systems', (t) => {
  const dir = made(t);
  const id = '0123456789abcdef0123456789abcdef';
  const key = Buffer.alloc(32, 7);
  writeFileSync(join(dir, 'key'), key);
  const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const measured = [
    createHmac('sha256', key).update('cryptsetup:var:cafe-1').digest(),
    sha256(Buffer.from(`machine-id:${id}`)),
    sha256(Buffer.from('file-system:/:erofs:u::::')),
  ];
  const value = measured.reduce((old, digest) => sha256(old, digest), Buffer.alloc(32)).toString('hex');
  const options = ['--machine-id', id, '--volume', 'var:cafe-1:key', '--file-system', '/:erofs:u', '--events'];
  const { code, stdout } = vouchsafe(dir, 'pcr', 'predict', 'uki.efi', ...options, '--json');
  assert.equal(code, 0);
  const answer = JSON.parse(stdout);
  assert.deepEqual(answer.identity, { pcr: 15, values: { sha256: value } });
  assert.equal(
    answer.unpredicted.some(({ pcr }: { pcr: number }) => pcr === 15),
    false,
  );
  assert.equal(answer.events.filter(({ pcr }: { pcr: number }) => pcr === 15).length, 3);
  assert.ok(!stdout.includes(key.toString('hex')));
  for (const wrong of [
    ['--machine-id', 'x'],
    ['--volume', 'var:key'],
    ['--file-system', 'var'],
    ['--volume', 'v:1:gone'],
  ]) {
    assert.notEqual(vouchsafe(dir, 'pcr', 'predict', 'uki.efi', ...wrong).code, 0, wrong.join(' '));
  }
});

test('a UKI with the addons and credentials of /loader: as the disk that has them', (t) => {
  const dir = made(t);
  mkdirSync(join(dir, 'credentials'));
  writeFileSync(join(dir, 'credentials', 'all.cred'), 'a secret');
  const pcrsOf = (...more: string[]) =>
    JSON.parse(vouchsafe(dir, 'pcr', 'predict', 'uki.efi', '--json', ...more).stdout).phases[0].pcrs.sha256;
  const [plain, more] = [pcrsOf(), pcrsOf('--loader-credentials', 'credentials')];
  assert.match(plain['12'], /^0+$/);
  assert.doesNotMatch(more['12'], /^0+$/);
  assert.notEqual(more['9'], plain['9']);
  assert.equal(more['11'], plain['11']);
  assert.notEqual(vouchsafe(dir, 'pcr', 'predict', 'uki.efi', '--loader-addons', 'nowhere').code, 0);
});
