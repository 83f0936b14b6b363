// SPDX-License-Identifier: Apache-2.0
// What ukify's users expect beside the plain image: policies signed elsewhere, profiles, hardware, kernels that are signed.
import assert from 'node:assert/strict';
import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import { openPe, readSmallSection, sectionSource } from '@vouchsafe/pe';
import { tempDir } from '@vouchsafe/testing';
import { madePe } from './made-efi.ts';
import { type Outcome, vouchsafe } from './support.ts';

interface Policy {
  readonly phase: string;
  readonly bank: string;
  readonly policy: string;
  readonly deviceTree?: number | null;
}

const good = (outcome: Outcome): Outcome => {
  assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout);
  return outcome;
};

describe('uki build', () => {
  let dir = '';
  const cleanups: (() => void)[] = [];
  before(() => {
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    writeFileSync(join(dir, 'stub'), madePe('systemd-stub 258.1'));
    writeFileSync(join(dir, 'stub252'), madePe('systemd-stub 252.1'));
    writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
    for (const name of ['one.dtb', 'two.dtb']) writeFileSync(join(dir, name), name);
    good(vouchsafe(dir, 'keys', 'generate', 'keys'));
    good(vouchsafe(dir, 'keys', 'generate', 'other'));
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  const run = (...args: string[]): Outcome =>
    vouchsafe(dir, 'uki', 'build', '--linux', 'vmlinuz', '--os-release', 'ID=made', ...args);
  const build = (...args: string[]): Outcome => good(run('--stub', 'stub', '--force', ...args));
  const open = (name: string) => openPe(memorySource(Uint8Array.from(readFileSync(join(dir, name))), name));
  const section = (name: string, of: string): string => Buffer.from(readSmallSection(open(name), of) ?? []).toString();
  const policiesOf = ({ stdout }: Outcome): Policy[] => JSON.parse(stdout).policies;
  const POLICY_KEY = ['--pcr-private-key', 'keys/pcr.key'];

  test('policies can be signed elsewhere: the image is the one that a key here gives', () => {
    build(...POLICY_KEY, '--pcr-public-key', 'keys/pcr.pub', '-o', 'here.efi');
    const there = ['--pcr-public-key', 'keys/pcr.pub', '-o', 'there.efi'];
    const policies = policiesOf(build(...there, '--policy-digest', '--json'));
    const privateKey = readFileSync(join(dir, 'keys/pcr.key'));
    const { pkfp } = JSON.parse(section('here.efi', '.pcrsig')).sha256[0];
    const entries = policies.map(({ policy: pol }) => {
      const sig = sign('sha256', Buffer.from(pol, 'hex'), privateKey).toString('base64');
      return { pcrs: [11], pkfp, pol, sig };
    });
    const embedded = JSON.stringify({ sha256: entries }).replaceAll('":', '": ').replaceAll(',', ', ');
    writeFileSync(join(dir, 'signed.json'), embedded);
    build(...there, '--pcrsig', '@signed.json');
    assert.deepEqual(readFileSync(join(dir, 'there.efi')), readFileSync(join(dir, 'here.efi')));
    // Of another image, by another key, or cut short.
    assert.equal(run('--stub', 'stub', '--cmdline', 'other', ...there, '--force', '--pcrsig', '@signed.json').code, 2);
    const otherKey = ['--pcr-public-key', 'other/pcr.pub', '-o', 'x.efi', '--pcrsig', '@signed.json'];
    assert.equal(run('--stub', 'stub', ...otherKey).code, 2);
    writeFileSync(join(dir, 'cut.json'), embedded.slice(0, -1));
    assert.equal(run('--stub', 'stub', ...there, '--force', '--pcrsig', '@cut.json').code, 3);
    assert.equal(run('--stub', 'stub', '-o', 'x.efi', '--pcrsig', '@signed.json').code, 2);
  });

  test('a public key that is not the half of the key that signs is refused', () => {
    const { code } = run('--stub', 'stub', ...POLICY_KEY, '--pcr-public-key', 'other/pcr.pub', '-o', 'x.efi');
    assert.equal(code, 3);
    assert.equal(run('--stub', 'stub', ...POLICY_KEY, '--pcr-public-key', 'keys/pcr.crt', '-o', 'x.efi').code, 3);
    assert.ok(!readdirSync(dir).some((name) => name.includes('x.efi')));
  });

  test('--sign-profile signs for the profiles that are named', () => {
    for (const id of ['rescue', 'reset']) {
      const profile = ['--stub', 'stub', '--profile', `ID=${id}`, '--cmdline', id, '-o', `${id}.efi`];
      good(vouchsafe(dir, 'uki', 'addon', ...profile));
    }
    const joined = [
      '--profile',
      'ID=main',
      '--join-profile',
      'rescue.efi',
      '--join-profile',
      'reset.efi',
      ...POLICY_KEY,
    ];
    const order = (name: string): string[] =>
      open(name).sections.flatMap((one) => (['.profile', '.pcrsig'].includes(one.name) ? [one.name] : []));
    build(...joined, '-o', 'all.efi');
    assert.deepEqual(order('all.efi'), ['.profile', '.pcrsig', '.profile', '.pcrsig', '.profile', '.pcrsig']);
    build(...joined, '--sign-profile', 'main', '--sign-profile', 'reset', '-o', 'some.efi');
    assert.deepEqual(order('some.efi'), ['.profile', '.pcrsig', '.profile', '.profile', '.pcrsig']);
    assert.equal(run('--stub', 'stub', ...joined, '--sign-profile', 'none', '-o', 'x.efi').code, 2);
    assert.equal(run('--stub', 'stub', '--sign-profile', 'main', '-o', 'x.efi').code, 2);
  });

  test('where the machine chooses a device tree, each choice is measured and signed, and none', () => {
    const trees = ['--devicetree-auto', 'one.dtb', '--devicetree-auto', 'two.dtb'];
    const outcome = build(...trees, ...POLICY_KEY, '--policy-digest', '--measure', '--json', '-o', 'trees.efi');
    const policies = policiesOf(outcome);
    assert.deepEqual([...new Set(policies.map(({ deviceTree }) => deviceTree))], [0, 1, null]);
    const signed = JSON.parse(section('trees.efi', '.pcrsig')).sha256 as { pol: string; sig: string }[];
    assert.deepEqual(
      signed.map(({ pol }) => pol),
      policies.map(({ policy }) => policy),
    );
    assert.equal(new Set(policies.map(({ policy }) => policy)).size, 12);
    const key = createPublicKey(readFileSync(join(dir, 'keys/pcr.pub')));
    for (const { pol, sig } of signed) {
      assert.ok(verify('sha256', Buffer.from(pol, 'hex'), key, Buffer.from(sig, 'base64')));
    }
  });

  test('device trees, firmware and what hardware they are for', () => {
    mkdirSync(join(dir, 'hwids/vendor'), { recursive: true });
    mkdirSync(join(dir, 'firmware/fw-1'), { recursive: true });
    const id = '810e34c6-cc69-5e36-8675-2f6e354272d3';
    const device = { type: 'devicetree', name: 'Made', compatible: 'made,one', hwids: [id] };
    writeFileSync(join(dir, 'hwids/vendor/one.json'), JSON.stringify(device));
    writeFileSync(join(dir, 'hwids/README'), 'not JSON');
    writeFileSync(join(dir, 'firmware/fw-1/fw.bin'), 'firmware');
    build('--hwids', 'hwids', '--efifw', 'firmware/fw-1', '-o', 'hardware.efi');
    assert.match(section('hardware.efi', '.hwids'), /Made\0made,one\0$/);
    assert.match(section('hardware.efi', '.efifw'), /fw-1\0firmware$/);
    // What a file says reaches no terminal as it is.
    mkdirSync(join(dir, 'hostile'));
    writeFileSync(join(dir, 'hostile/a.json'), JSON.stringify({ type: '\u001b[2J\u202e' }));
    const hostile = run('--stub', 'stub', '--hwids', 'hostile', '-o', 'x.efi');
    assert.deepEqual(
      [hostile.code, ['\u001b', '\u202e'].some((character) => hostile.stderr.includes(character))],
      [3, false],
    );
    for (const args of [
      ['--hwids', 'firmware'],
      ['--efifw', 'firmware'],
      ['--efifw', 'hwids/vendor/none'],
    ]) {
      assert.notEqual(run('--stub', 'stub', ...args, '-o', 'x.efi').code, 0, args.join(' '));
    }
    writeFileSync(join(dir, 'firmware/fw-1/another.bin'), 'firmware');
    assert.equal(run('--stub', 'stub', '--efifw', 'firmware/fw-1', '-o', 'x.efi').code, 2);
    writeFileSync(join(dir, 'hwids/vendor/two.json'), '{}');
    assert.equal(run('--stub', 'stub', '--hwids', 'hwids', '-o', 'x.efi').code, 3);
  });

  test('a kernel is signed on request, and says its version', () => {
    const kernel = Uint8Array.from(readFileSync(join(dir, 'vmlinuz')));
    kernel.set(Buffer.from('HdrS'), 0x202);
    new DataView(kernel.buffer).setUint16(0x20e, 0x180, true);
    kernel.set(Buffer.from('6.12.0-made (made@example.org) #1\0'), 0x380);
    writeFileSync(join(dir, 'x86'), kernel);
    const key = ['--key', 'keys/db.key', '--certificate', 'keys/db.crt'];
    build('--linux', 'x86', ...key, '--sign-kernel', '-o', 'kernel.efi');
    assert.equal(section('kernel.efi', '.uname'), '6.12.0-made');
    const linux = open('kernel.efi').sections.find(({ name }) => name === '.linux') ?? assert.fail();
    const inner = openPe(sectionSource(open('kernel.efi'), linux));
    assert.notEqual(inner.certificateTable, undefined);
    const verified = (...args: string[]): number | null =>
      vouchsafe(dir, 'uki', 'verify', 'kernel.efi', '--db', 'keys/db.crt', '--signed-kernel', ...args).code;
    assert.equal(verified(), 0);
    assert.equal(verified('--dbx', 'keys/db.crt'), 1);
    build('--linux', 'x86', '--uname', 'mine', '-o', 'named.efi');
    assert.equal(section('named.efi', '.uname'), 'mine');
    assert.equal(run('--stub', 'stub', '--sign-kernel', '-o', 'x.efi').code, 2);
    assert.equal(run('--stub', 'stub', '--linux', 'one.dtb', ...key, '--sign-kernel', '-o', 'x.efi').code, 2);
    assert.ok(!readdirSync(dir).some((name) => name.includes('partial')));
  });

  test("a configuration in ukify's form builds what the options build", () => {
    for (const name of ['one.img', 'two.img']) writeFileSync(join(dir, name), name);
    writeFileSync(
      join(dir, 'uki.conf'),
      [
        '# as kernel-install has it',
        '[UKI]',
        'Linux = vmlinuz   # the kernel',
        'OSRelease=ID=made',
        'Initrd = one.img two.img',
        'Cmdline = root=LABEL=a#b',
        '   quiet',
        'Stub=stub',
        'SecureBootSigningTool=sbsign',
        'SecureBootPrivateKey=keys/db.key',
        'SecureBootCertificate=keys/db.crt',
        'SignKernel=no',
        '[PCRSignature:initrd]',
        'PCRPrivateKey=keys/pcr.key',
        'PCRPublicKey=keys/pcr.pub',
        'Phases=enter-initrd',
        '',
      ].join('\n'),
    );
    const uki = (...args: string[]): Outcome => vouchsafe(dir, 'uki', 'build', ...args);
    good(uki('--config', 'uki.conf', '-o', 'config.efi'));
    const cmdline = ['--cmdline', 'root=LABEL=a#b quiet', '--initrd', 'one.img', '--initrd', 'two.img'];
    const keys = ['--key', 'keys/db.key', '--certificate', 'keys/db.crt', ...POLICY_KEY, '--phases', 'enter-initrd'];
    build(...cmdline, ...keys, '-o', 'options.efi');
    assert.deepEqual(readFileSync(join(dir, 'config.efi')), readFileSync(join(dir, 'options.efi')));
    good(uki('--config', 'uki.conf', '--cmdline', 'mine', '--initrd', 'one.dtb', '-o', 'mine.efi'));
    assert.equal(section('mine.efi', '.cmdline'), 'mine');
    assert.match(section('mine.efi', '.initrd'), /^one\.img\0two\.img\0one\.dtb\0?$/);
    for (const [text, line] of [
      ['[UKI]\nLinux=vmlinuz\nColour=red\n', 3],
      ['[UKI]\nSigningEngine=pkcs11\n', 2],
      ['[UKI]\nSignKernel=perhaps\n', 2],
      ['[UKI]\nEFIArch=z80\n', 2],
      ['[PCRSignature:]\nPhases=sysinit\n', 2],
      ['Linux=vmlinuz\n', 1],
      ['[UKI]\n\nLinux\n', 3],
    ] as const) {
      writeFileSync(join(dir, 'bad.conf'), text);
      const { code, stderr } = uki('--config', 'bad.conf', '-o', 'x.efi');
      assert.equal(code, 2, text);
      assert.match(stderr, new RegExp(`line ${line}\\b`), text);
    }
    assert.equal(uki('--config', 'none.conf', '-o', 'x.efi').code, 3);
    assert.equal(uki('--config', 'uki.conf', '-o', 'uki.conf', '--force').code, 2);
  });

  test('signatures come off again, one or all', () => {
    const key = (name: string): string[] => ['--key', `${name}/db.key`, '--certificate', `${name}/db.crt`];
    build(...key('keys'), '-o', 'signed.efi');
    build('-o', 'unsigned.efi');
    good(vouchsafe(dir, 'uki', 'sign', 'signed.efi', ...key('other'), '-o', 'twice.efi'));
    const unsign = (...args: string[]): Outcome => vouchsafe(dir, 'uki', 'unsign', ...args);
    good(unsign('twice.efi', '--signature', '2', '-o', 'once.efi'));
    assert.deepEqual(readFileSync(join(dir, 'once.efi')), readFileSync(join(dir, 'signed.efi')));
    good(unsign('twice.efi', '-o', 'none.efi'));
    assert.deepEqual(readFileSync(join(dir, 'none.efi')), readFileSync(join(dir, 'unsigned.efi')));
    assert.equal(unsign('twice.efi', '--signature', '3', '-o', 'x.efi').code, 2);
    assert.equal(unsign('unsigned.efi', '--signature', '1', '-o', 'x.efi').code, 2);
    assert.equal(unsign('keys/README', '-o', 'x.efi').code, 3);
    assert.equal(unsign('twice.efi', '-o', 'none.efi').code, 3);
    good(unsign('twice.efi', '-o', 'twice.efi', '--force'));
    assert.deepEqual(readFileSync(join(dir, 'twice.efi')), readFileSync(join(dir, 'unsigned.efi')));
  });

  test('inspect shows or writes single sections, all of them or none', () => {
    build('--cmdline', 'quiet splash', '-o', 'plain.efi');
    const inspect = (...args: string[]): Outcome => vouchsafe(dir, 'uki', 'inspect', 'plain.efi', ...args);
    const shown = JSON.parse(good(inspect('--section', '.cmdline', '--json')).stdout);
    assert.deepEqual(
      shown.sections.map((one: { name: string; text: string }) => [one.name, one.text]),
      [['.cmdline', 'quiet splash']],
    );
    good(inspect('--section', '.cmdline:text@cmdline.txt', '--section', '.linux:binary@linux.bin'));
    assert.equal(readFileSync(join(dir, 'cmdline.txt'), 'utf8'), 'quiet splash');
    assert.deepEqual(readFileSync(join(dir, 'linux.bin')), readFileSync(join(dir, 'vmlinuz')));
    assert.equal(inspect('--section', '.osrel@osrel.txt', '--section', '.cmdline@cmdline.txt').code, 3);
    assert.ok(!readdirSync(dir).some((name) => name.includes('osrel.txt')));
    assert.equal(inspect('--section', '.none').code, 2);
    assert.equal(inspect('--section', '.cmdline@plain.efi', '--force').code, 2);
    assert.equal(vouchsafe(dir, 'uki', 'inspect', 'all.efi', '--section', '.profile@p').code, 2);
  });
});
