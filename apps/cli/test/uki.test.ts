// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { madePe } from './made-efi.ts';
import { type Outcome, vouchsafe } from './support.ts';

const VECTORS = needsVectors('image', 'uki');
const vector = (...parts: string[]): string => vectorPath('image', 'uki', ...parts);
const ROOT_HASH = '4f'.repeat(32);
const TIME = ['--signing-time', '2026-01-31T12:00:00Z'];

/** A stub, a kernel and an initrd that nothing runs, and two keys. */
function scene(t: Parameters<typeof tempDir>[0]): string {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'stub'), madePe('systemd-stub 257.1'));
  writeFileSync(join(dir, 'addon-stub'), madePe('systemd-addon 257.1'));
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  writeFileSync(join(dir, 'initrd'), 'initrd');
  for (const name of ['db', 'other']) {
    const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', `${name}.key`, '-out', `${name}.crt`];
    execFileSync('openssl', ['req', '-x509', ...key, '-subj', `/CN=${name}`], { cwd: dir, stdio: 'ignore' });
  }
  return dir;
}

const KEY = ['--secureboot-private-key', 'db.key', '--secureboot-certificate', 'db.crt'];
const BUILD = ['uki', 'build', '--stub', 'stub', '--linux', 'vmlinuz', '--initrd', 'initrd', '--os-release', 'ID=made'];
const MORE = ['--cmdline', `root=/dev/sda1  roothash=${ROOT_HASH}`, '--uname', '6.12.0'];

function good(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout);
  return outcome;
}

const read = (dir: string, name: string): Uint8Array => readFileSync(join(dir, name));

describe('a made image', needsTool('openssl', 'sbverify', 'osslsigncode'), () => {
  let dir = '';
  const cleanups: (() => void)[] = [];
  before(() => {
    dir = scene({ after: (fn) => void cleanups.push(fn as () => void) });
    good(vouchsafe(dir, ...BUILD, ...MORE, ...KEY, '-o', 'signed.efi'));
    good(vouchsafe(dir, ...BUILD, ...MORE, '-o', 'unsigned.efi'));
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('is verified by sbverify and osslsigncode, and by us', () => {
    const verified = execFileSync('sbverify', ['--cert', 'db.crt', 'signed.efi'], {
      cwd: dir,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    assert.match(verified, /OK/);
    // osslsigncode 2.5 of Debian 12 takes no message without signed attributes, sbsign's neither: give it a time.
    good(vouchsafe(dir, ...BUILD, ...MORE, ...KEY, ...TIME, '-o', 'timed.efi'));
    execFileSync('osslsigncode', ['verify', '-CAfile', 'db.crt', 'timed.efi'], { cwd: dir, stdio: 'pipe' });
    good(vouchsafe(dir, 'uki', 'verify', 'signed.efi', '--db', 'db.crt'));
  });

  test('is the same bytes again, signed in the same run or later, by a key or by a command', () => {
    good(vouchsafe(dir, ...BUILD, ...MORE, ...KEY, '-o', 'again.efi'));
    good(
      vouchsafe(dir, 'uki', 'sign', 'unsigned.efi', '--key', 'db.key', '--certificate', 'db.crt', '-o', 'later.efi'),
    );
    const command = ['--sign-command', "openssl pkeyutl -sign -inkey 'db.key' -pkeyopt digest:sha256"];
    good(vouchsafe(dir, ...BUILD, ...MORE, ...command, '--certificate', 'db.crt', '-o', 'command.efi'));
    for (const name of ['again.efi', 'later.efi', 'command.efi']) {
      assert.deepEqual(read(dir, name), read(dir, 'signed.efi'), name);
    }
  });

  test('takes one more signature, with a time when one is given', () => {
    const other = ['--key', 'other.key', '--certificate', 'other.crt'];
    good(vouchsafe(dir, 'uki', 'sign', 'signed.efi', ...other, ...TIME, '-o', 'twice.efi'));
    for (const name of ['db', 'other']) {
      execFileSync('sbverify', ['--cert', `${name}.crt`, 'twice.efi'], { cwd: dir, stdio: 'pipe' });
    }
    const { signatures } = JSON.parse(good(vouchsafe(dir, 'uki', 'inspect', 'twice.efi', '--json')).stdout);
    assert.deepEqual(
      signatures.map(({ signers }: { signers: { signingTimeMs?: number }[] }) => signers[0]?.signingTimeMs),
      [undefined, Date.UTC(2026, 0, 31, 12)],
    );
    // The file itself as the output, replaced when the signed one is complete.
    copyFileSync(join(dir, 'signed.efi'), join(dir, 'in-place.efi'));
    good(vouchsafe(dir, 'uki', 'sign', 'in-place.efi', ...other, ...TIME, '-o', 'in-place.efi', '--force'));
    assert.deepEqual(read(dir, 'in-place.efi'), read(dir, 'twice.efi'));
  });

  test('verify says no with 1, and why', () => {
    const codes = (...args: string[]): [number | null, string[]] => {
      const { code, stdout } = vouchsafe(dir, 'uki', 'verify', '--json', ...args);
      const { findings } = JSON.parse(stdout) as { findings: { code: string; severity: string }[] };
      return [code, findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)];
    };
    assert.deepEqual(codes('signed.efi', '--db', 'db.crt'), [0, []]);
    assert.deepEqual(codes('signed.efi', '--db', 'other.crt'), [1, ['signer_unknown']]);
    assert.deepEqual(codes('unsigned.efi', '--db', 'db.crt'), [1, ['unsigned']]);
    assert.deepEqual(codes('unsigned.efi'), [0, []]);
    assert.deepEqual(codes('signed.efi', '--db', 'db.crt', '--dbx', 'db.crt'), [1, ['revoked_certificate']]);
    assert.deepEqual(codes('signed.efi', '--db', 'db.crt', '--sbat-level', 'sbat,1\nuki,2\n'), [1, ['sbat_revoked']]);
    const changed = read(dir, 'signed.efi').slice();
    changed[changed.indexOf(0x90, 1024)] = 0x91;
    writeFileSync(join(dir, 'changed.efi'), changed);
    assert.deepEqual(codes('changed.efi', '--db', 'db.crt'), [1, ['digest_mismatch']]);
    writeFileSync(join(dir, 'no.efi'), 'MZ');
    assert.equal(codes('no.efi')[0], 1);
    assert.match(
      vouchsafe(dir, 'uki', 'verify', 'signed.efi', '--db', 'other.crt').stdout,
      /would not boot[\s\S]*signer_unknown/,
    );
  });

  test('inspect shows sections, text and digests, and lets nothing through to the terminal', () => {
    const text = good(vouchsafe(dir, 'uki', 'inspect', 'signed.efi')).stdout;
    assert.match(text, /unified kernel image/);
    assert.match(text, new RegExp(`root=/dev/sda1 roothash=${ROOT_HASH}`));
    const { authenticode, sections } = JSON.parse(
      good(vouchsafe(dir, 'uki', 'inspect', 'signed.efi', '--digests', '--json')).stdout,
    );
    assert.match(authenticode.sha256.measuredByFirmware, /^[0-9a-f]{64}$/);
    const linux = sections.find(({ name }: { name: string }) => name === '.linux');
    assert.equal(linux.digests.sha256, createDigest(read(dir, 'vmlinuz')));
    writeFileSync(join(dir, 'evil'), 'quiet \u001b[2J\u202e');
    good(vouchsafe(dir, ...BUILD, '--cmdline', '@evil', '-o', 'evil.efi'));
    const shown = good(vouchsafe(dir, 'uki', 'inspect', 'evil.efi')).stdout;
    assert.match(shown, /quiet \\u\{1b\}\[2J\\u\{202e\}/);
    assert.ok(!shown.includes('\u001b') && !shown.includes('\u202e'));
  });

  test('an addon is built, signed and told from an image', () => {
    const addon = ['uki', 'addon', '--stub', 'addon-stub', '--cmdline', 'quiet'];
    good(vouchsafe(dir, ...addon, ...KEY, '-o', 'quiet.addon.efi'));
    execFileSync('sbverify', ['--cert', 'db.crt', 'quiet.addon.efi'], { cwd: dir, stdio: 'pipe' });
    assert.equal(JSON.parse(good(vouchsafe(dir, 'uki', 'inspect', 'quiet.addon.efi', '--json')).stdout).kind, 'addon');
    good(vouchsafe(dir, 'uki', 'verify', 'quiet.addon.efi', '--db', 'db.crt'));
    assert.equal(vouchsafe(dir, 'uki', 'addon', '--stub', 'addon-stub', '-o', 'none.efi').code, 2);
    const missing = vouchsafe(dir, 'uki', 'addon', '--efi-arch', 'loongarch64', '--cmdline', 'quiet', '-o', 'none.efi');
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /--stub/);
    assert.ok(!existsSync(join(dir, 'none.efi')));
  });

  test('policies are signed for the phases of each key, by a key or by a command', () => {
    const one = ['--pcr-private-key', 'db.key', '--phases', 'enter-initrd'];
    good(vouchsafe(dir, ...BUILD, ...MORE, ...one, '-o', 'one.efi'));
    const command = 'openssl pkeyutl -sign -inkey db.key -pkeyopt digest:sha256';
    const same = ['--pcr-sign-command', command, '--pcr-certificate', 'db.crt', '--phases', 'enter-initrd'];
    good(vouchsafe(dir, ...BUILD, ...MORE, ...same, '-o', 'same.efi'));
    assert.deepEqual(read(dir, 'same.efi'), read(dir, 'one.efi'));
    const two = ['--pcr-private-key', 'db.key', '--pcr-private-key', 'other.key', '--pcr-banks', 'sha256,sha384'];
    const phases = ['--phases', 'enter-initrd', '--phases', 'enter-initrd:leave-initrd,:'];
    good(vouchsafe(dir, ...BUILD, ...MORE, ...two, ...phases, '-o', 'two.efi'));
    const { sections } = JSON.parse(good(vouchsafe(dir, 'uki', 'inspect', 'two.efi', '--json')).stdout);
    const named = (name: string) => sections.find((section: { name: string }) => section.name === name);
    const policies = JSON.parse(named('.pcrsig').text);
    assert.deepEqual(
      Object.entries(policies).map(([bank, list]) => [bank, (list as unknown[]).length]),
      [
        ['sha256', 3],
        ['sha384', 3],
      ],
    );
    assert.equal(named('.pcrpkey'), undefined);
    assert.equal(vouchsafe(dir, ...BUILD, ...two, '--phases', 'enter-initrd', '-o', 'x').code, 2);
    assert.equal(vouchsafe(dir, ...BUILD, '--pcr-sign-command', command, '-o', 'x').code, 2);
  });

  test('wrong usage is 2, what cannot be read is 3, and neither leaves anything', () => {
    const code = (...args: string[]) => vouchsafe(dir, 'uki', ...args).code;
    const build = BUILD.slice(1);
    assert.equal(code(...build), 2);
    assert.equal(code(...build, '--section', '.text:code', '-o', 'x'), 2);
    assert.equal(code(...build, '--efi-arch', 'aa64', '-o', 'x'), 2);
    assert.equal(code(...build, '--key', 'db.key', '-o', 'x'), 2);
    assert.equal(code(...build, ...KEY, '--sign-command', 'sign', '-o', 'x'), 2);
    assert.equal(code(...build, '--sign-command', "sign 'me", '-o', 'x'), 2);
    assert.equal(code(...build, '--force', '-o', 'initrd'), 2);
    assert.equal(code('verify', 'signed.efi', '--dbx', 'db.crt'), 2);
    assert.equal(code(...build, '--linux', 'nothing', '-o', 'x'), 3);
    assert.equal(code(...build, '--sign-command', 'false', '--certificate', 'db.crt', '-o', 'x'), 3);
    assert.equal(code(...build, '-o', 'signed.efi'), 3);
    assert.equal(code('verify', 'signed.efi', '--db', 'initrd'), 3);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name === 'x' || name.includes('partial')),
      [],
    );
  });
});

function createDigest(bytes: Uint8Array): string {
  return execFileSync('sha256sum', { input: bytes, encoding: 'utf8' }).slice(0, 64);
}

/** CheckSum, which ukify leaves at 0 and no firmware reads. */
function withoutCheckSum(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const header = new DataView(copy.buffer).getUint32(0x3c, true);
  copy.fill(0, header + 24 + 64, header + 24 + 68);
  return copy;
}

const INPUTS = ['--linux', vector('inputs', 'fake-linux.bin'), '--initrd', vector('inputs', 'fake-initrd.bin')];
const TEXTS = ['--os-release', `@${vector('inputs', 'os-release')}`, '--cmdline', `@${vector('inputs', 'cmdline')}`];
const BASIC = [...INPUTS, ...TEXTS, '--uname=6.1.0-56-amd64', '--stub', vector('stubs', 'linuxx64-257.13.efi.stub')];
const PCR = ['--pcr-private-key', vector('keys', 'pcr.key'), '--pcr-banks=sha256'];

const SAME: readonly [output: string, args: readonly string[]][] = [
  ['basic-stub257', BASIC],
  ['pcrsig-stub257', [...BASIC, ...PCR]],
  [
    'full-stub257',
    [
      ...BASIC,
      ...['--splash', vector('inputs', 'splash.bmp'), '--devicetree', vector('inputs', 'fake-dtb.bin')],
      ...['--microcode', vector('inputs', 'fake-ucode.bin'), '--sbat', `@${vector('inputs', 'sbat')}`],
      ...['--pcrpkey', vector('inputs', 'pcrpkey.pem')],
    ],
  ],
  [
    'multiprofile',
    [
      ...[...BASIC, ...PCR, '--profile', `@${vector('inputs', 'profile0')}`],
      ...['--join-profile', vector('out', 'prof1.ukify257.efi')],
    ],
  ],
];

for (const [output, args] of SAME) {
  test(`the same file as ukify 257 makes from the same options: ${output}`, VECTORS, (t) => {
    const dir = tempDir(t);
    good(vouchsafe(dir, 'uki', 'build', ...args, '-o', 'out.efi'));
    const expected = readFileSync(vector('out', `${output}.ukify257.efi`));
    assert.deepEqual(Buffer.from(withoutCheckSum(read(dir, 'out.efi'))), Buffer.from(withoutCheckSum(expected)));
  });
}

test('--measure prints what systemd-measure 257 prints', VECTORS, (t) => {
  const dir = tempDir(t);
  const { stdout } = good(vouchsafe(dir, 'uki', 'build', ...BASIC, '--measure', '-o', 'out.efi'));
  assert.match(
    stdout,
    /^# PCR\[11\] Phase <enter-initrd>\n11:sha256=[0-9a-f]{64}\n# PCR\[11\] Phase <enter-initrd:leave-initrd>\n/,
  );
  const json = JSON.parse(good(vouchsafe(dir, 'uki', 'build', ...BASIC, '--measure', '--json', '-o', 'b.efi')).stdout);
  const predicted = JSON.parse(good(vouchsafe(dir, 'pcr', 'predict', 'b.efi', '--pcrs', '11', '--json')).stdout);
  assert.deepEqual(predicted.phases.slice(1), json.phases);
});
