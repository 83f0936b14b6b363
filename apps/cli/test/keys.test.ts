// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  decodeAuthenticatedVariable,
  decodeSignatureLists,
  decodeVariableStore,
  EDK2_SECURE_BOOT_ENABLE,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  KEY_VARIABLE_ATTRIBUTES,
  liveVariables,
  verifyAuthenticatedVariable,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificates } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { madePe, madeVariableStore } from './made-efi.ts';
import { type Outcome, vouchsafe } from './support.ts';

const OWNER = '11111111-2222-4333-8444-555555555555';
const FIXED = ['--owner', OWNER, '--not-before', '2026-01-31T00:00:00Z', '--days', '400', '--name', 'Made'];

function good(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout);
  return outcome;
}

describe('a folder of keys', needsTool('openssl'), () => {
  let dir = '';
  const cleanups: (() => void)[] = [];
  before(() => {
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    good(vouchsafe(dir, 'keys', 'generate', 'keys', ...FIXED));
    writeFileSync(join(dir, 'vars.fd'), madeVariableStore());
    const named = (subject: string, file: string) => {
      const options = [
        '-newkey',
        'rsa:2048',
        '-noenc',
        '-keyout',
        '/dev/null',
        '-out',
        file,
        '-subj',
        `/CN=${subject}`,
      ];
      execFileSync('openssl', ['req', '-x509', ...options], { cwd: dir, stdio: 'ignore' });
    };
    named('Somebody KEK 2K CA 2023', 'vendor-kek.crt');
    named('Somebody UEFI CA 2023', 'vendor-db.crt');
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });
  const path = (...parts: string[]): string => join(dir, 'keys', ...parts);
  const certificate = (name: string): Certificate =>
    decodeCertificates(readFileSync(path(`${name}.crt`)))[0] as Certificate;

  test('holds what it says, keys for their owner alone', () => {
    assert.deepEqual(readdirSync(path()).toSorted(), [
      ...['KEK.auth', 'KEK.crt', 'KEK.esl', 'KEK.key', 'PK.auth', 'PK.crt', 'PK.esl', 'PK.key'],
      ...['README', 'db.auth', 'db.crt', 'db.esl', 'db.key', 'loader', 'manifest.crt', 'manifest.key', 'manifest.pub'],
      ...['pcr.crt', 'pcr.key', 'pcr.pub', 'verity.crt', 'verity.key'],
    ]);
    assert.equal(statSync(path()).mode & 0o777, 0o700);
    for (const name of readdirSync(path()).filter((file) => file.endsWith('.key'))) {
      assert.equal(statSync(path(name)).mode & 0o777, 0o600, name);
    }
    for (const name of ['PK.auth', 'KEK.auth', 'db.auth']) {
      assert.deepEqual(readFileSync(path('loader', 'keys', 'auto', name)), readFileSync(path(name)));
    }
    assert.match(readFileSync(path('README'), 'utf8'), /PK\.key[\s\S]*OFFLINE/);
  });

  test('each key opens with openssl and belongs to its certificate', () => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
    for (const name of ['PK', 'KEK', 'db', 'pcr', 'verity', 'manifest']) {
      const own = openssl('pkey', '-in', path(`${name}.key`), '-pubout');
      assert.equal(openssl('x509', '-in', path(`${name}.crt`), '-noout', '-pubkey'), own, name);
      const text = openssl('x509', '-in', path(`${name}.crt`), '-noout', '-text');
      assert.match(text, new RegExp(`Subject: CN = Made ${name}\n`));
      assert.match(text, name === 'manifest' ? /ED25519/ : /Public-Key: \(2048 bit\)/);
      assert.match(text, /Not Before: Jan 31 00:00:00 2026 GMT\s+Not After : Mar {2}7 00:00:00 2027 GMT/);
      assert.match(text, /CA:FALSE/);
    }
    assert.equal(openssl('pkey', '-in', path('pcr.key'), '-pubout'), readFileSync(path('pcr.pub'), 'utf8'));
  });

  test('its lists are what cert-to-efi-sig-list writes', needsTool('cert-to-efi-sig-list', 'sign-efi-sig-list'), () => {
    for (const name of ['PK', 'KEK', 'db']) {
      execFileSync('cert-to-efi-sig-list', ['-g', OWNER, path(`${name}.crt`), join(dir, 'their.esl')]);
      assert.deepEqual(readFileSync(path(`${name}.esl`)), readFileSync(join(dir, 'their.esl')), name);
    }
    // Theirs names the signature's digest in another way; what is signed, when and for what, is the same.
    const sign = ['-t', '2026-01-31 00:00:00', '-k', path('PK.key'), '-c', path('PK.crt'), 'KEK', path('KEK.esl')];
    execFileSync('sign-efi-sig-list', [...sign, join(dir, 'their.auth')], {
      stdio: 'pipe',
      env: { ...process.env, TZ: 'UTC' },
    });
    const [ours, theirs] = [path('KEK.auth'), join(dir, 'their.auth')].map((file) =>
      decodeAuthenticatedVariable(readFileSync(file)),
    );
    assert.ok(ours && theirs);
    assert.deepEqual(ours.time, theirs.time);
    assert.deepEqual(ours.data, theirs.data);
    assert.deepEqual(ours.signedData.signers[0]?.signature, theirs.signedData.signers[0]?.signature);
  });

  test('its updates are signed as firmware asks: PK by itself, KEK by PK, db by KEK', () => {
    const target = (name: string, vendor: string) => ({ name, vendor, attributes: KEY_VARIABLE_ATTRIBUTES });
    for (const [name, vendor, signer] of [
      ['PK', EFI_GLOBAL_VARIABLE, 'PK'],
      ['KEK', EFI_GLOBAL_VARIABLE, 'PK'],
      ['db', EFI_IMAGE_SECURITY_DATABASE, 'KEK'],
    ] as const) {
      const variable = decodeAuthenticatedVariable(readFileSync(path(`${name}.auth`)));
      verifyAuthenticatedVariable(variable, target(name, vendor), [certificate(signer)]);
      assert.deepEqual(Buffer.from(variable.data), readFileSync(path(`${name}.esl`)));
    }
  });

  test('is never written into again, and no half of one is left', () => {
    const refused = vouchsafe(dir, 'keys', 'generate', 'keys');
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /never overwritten/);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'no/such/place').code, 3);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'more', '--days', '0').code, 2);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'more', '--owner', 'me').code, 2);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'more', '--microsoft', 'vars.fd').code, 3);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith('.') || name === 'more'),
      [],
    );
  });

  test('can be under a pass phrase, which openssl and our signer ask for', () => {
    writeFileSync(join(dir, 'passphrase'), 'test-only\n');
    writeFileSync(join(dir, 'wrong'), 'wrong\n');
    writeFileSync(join(dir, 'empty'), '\n');
    good(vouchsafe(dir, 'keys', 'generate', 'encrypted', '--passphrase-file', 'passphrase'));
    for (const name of ['db', 'manifest']) {
      const key = join(dir, 'encrypted', `${name}.key`);
      assert.match(readFileSync(key, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      execFileSync('openssl', ['pkey', '-in', key, '-passin', 'pass:test-only', '-noout'], { stdio: 'pipe' });
    }
    const sign = [
      'verity',
      'sign',
      '4f'.repeat(32),
      '--key',
      'encrypted/verity.key',
      '--certificate',
      'encrypted/verity.crt',
    ];
    good(vouchsafe(dir, ...sign, '--passphrase-file', 'passphrase', '-o', 'root.p7s'));
    assert.equal(vouchsafe(dir, ...sign, '--passphrase-file', 'wrong', '-o', 'other.p7s').code, 3);
    assert.equal(vouchsafe(dir, ...sign, '-o', 'other.p7s').code, 3);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'x', '--passphrase-file', 'empty').code, 2);
  });

  const variablesOf = (file: string) => {
    const live = liveVariables(decodeVariableStore(readFileSync(join(dir, file))));
    return new Map(live.map((variable) => [variable.name, variable]));
  };

  test('is enrolled into a copy of a variable store, the same bytes each time', () => {
    good(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'vars.fd', '-o', 'out.fd'));
    good(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'vars.fd', '-o', 'again.fd'));
    assert.deepEqual(readFileSync(join(dir, 'again.fd')), readFileSync(join(dir, 'out.fd')));
    assert.deepEqual(Uint8Array.from(readFileSync(join(dir, 'vars.fd'))), madeVariableStore());
    const variables = variablesOf('out.fd');
    for (const name of ['PK', 'KEK', 'db']) {
      assert.deepEqual(Buffer.from(variables.get(name)?.data ?? []), readFileSync(path(`${name}.esl`)), name);
    }
    const enable = variables.get('SecureBootEnable');
    assert.deepEqual([enable?.vendor, [...(enable?.data ?? [])]], [EDK2_SECURE_BOOT_ENABLE, [1]]);
    assert.equal(variables.has('dbx'), false);
  });

  test("others' certificates and what is forbidden come along on request", () => {
    const vendor = ['--microsoft', 'vendor-kek.crt', '--microsoft', 'vendor-db.crt'];
    const dbx = ['--dbx', 'keys/verity.crt', '--dbx', 'keys/db.esl', '--dbx', 'keys/KEK.auth'];
    good(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'vars.fd', ...vendor, ...dbx, '-o', 'vendor.fd'));
    const variables = variablesOf('vendor.fd');
    const count = (name: string) => decodeSignatureLists(variables.get(name)?.data ?? new Uint8Array()).length;
    assert.deepEqual(['PK', 'KEK', 'db', 'dbx'].map(count), [1, 2, 2, 3]);
    good(vouchsafe(dir, 'keys', 'generate', 'both', ...vendor));
    good(vouchsafe(dir, 'keys', 'enroll', 'both', '--vars', 'vars.fd', '-o', 'both.fd'));
    const both = variablesOf('both.fd');
    const owners = decodeSignatureLists(both.get('db')?.data ?? new Uint8Array()).map(
      ({ signatures }) => signatures[0]?.owner,
    );
    assert.deepEqual(owners[1], '77fa9abd-0359-4d32-bd60-28f4e78f784b');
  });

  test('what a store holds is kept on request, and what it forbids always', () => {
    const vendor = ['--microsoft', 'vendor-kek.crt', '--microsoft', 'vendor-db.crt'];
    const enroll = (...args: string[]) => good(vouchsafe(dir, 'keys', 'enroll', 'keys', ...args));
    enroll('--vars', 'vars.fd', ...vendor, '--dbx', 'keys/verity.crt', '-o', 'full.fd');
    const count = (file: string) =>
      ['PK', 'KEK', 'db', 'dbx'].map(
        (name) => decodeSignatureLists(variablesOf(file).get(name)?.data ?? new Uint8Array()).length,
      );
    enroll('--vars', 'full.fd', '--keep', '--dbx', 'keys/verity.crt', '-o', 'kept.fd');
    assert.deepEqual(count('kept.fd'), [1, 2, 2, 1]);
    enroll('--vars', 'full.fd', '--dbx', 'keys/manifest.crt', '-o', 'own.fd');
    assert.deepEqual(count('own.fd'), [1, 1, 1, 2]);
  });

  test('a store at the start of a larger flash is enrolled, and the rest is kept', () => {
    const flash = new Uint8Array(9 * 1024 * 1024);
    flash.set(madeVariableStore());
    flash.fill(7, 8 * 1024 * 1024);
    writeFileSync(join(dir, 'flash.fd'), flash);
    good(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'flash.fd', '-o', 'flash-own.fd'));
    assert.ok(variablesOf('flash-own.fd').has('PK'));
    const written = readFileSync(join(dir, 'flash-own.fd'));
    assert.equal(written.length, flash.length);
    assert.ok(written.subarray(8 * 1024 * 1024).every((octet) => octet === 7));
  });

  test('an update adds or replaces, and forbids an image by its digest', () => {
    writeFileSync(path('../bad.efi'), madePe(undefined));
    const kek = ['--key', 'keys/KEK.key', '--certificate', 'keys/KEK.crt', '--time', '2026-02-01T00:00:00Z'];
    const make = (...args: string[]) => vouchsafe(dir, 'keys', 'update', ...args);
    good(make('dbx', 'bad.efi', 'keys/verity.crt', 'bad.efi', '--append', ...kek, '-o', 'dbx.auth'));
    const update = decodeAuthenticatedVariable(readFileSync(join(dir, 'dbx.auth')));
    const target = { name: 'dbx', vendor: EFI_IMAGE_SECURITY_DATABASE };
    const trusted = [certificate('KEK')];
    verifyAuthenticatedVariable(update, { ...target, attributes: KEY_VARIABLE_ATTRIBUTES | 0x40 }, trusted);
    const replacing = { ...target, attributes: KEY_VARIABLE_ATTRIBUTES };
    assert.throws(() => verifyAuthenticatedVariable(update, replacing, trusted), { code: 'signature_invalid' });
    assert.deepEqual(
      decodeSignatureLists(update.data).map(({ type, signatures }) => [type, signatures.length]),
      [
        ['sha256', 1],
        ['x509', 1],
      ],
    );
    const verify = (...args: string[]) =>
      vouchsafe(dir, 'uki', 'verify', 'bad.efi', '--db', 'bad.efi', ...args, '--json');
    const errors = ({ stdout }: ReturnType<typeof verify>): string[] =>
      JSON.parse(stdout).findings.flatMap((one: { code: string; severity: string }) =>
        one.severity === 'error' ? [one.code] : [],
      );
    // It is no UKI, so something is missing whatever firmware says of it.
    assert.deepEqual(errors(verify()), ['section_missing']);
    assert.deepEqual(errors(verify('--dbx', 'dbx.auth')), ['revoked_digest', 'section_missing']);
    good(vouchsafe(dir, 'keys', 'generate', 'forbidding', '--dbx', 'dbx.auth'));
    good(vouchsafe(dir, 'keys', 'enroll', 'forbidding', '--vars', 'vars.fd', '-o', 'forbidding.fd'));
    assert.equal(decodeSignatureLists(variablesOf('forbidding.fd').get('dbx')?.data ?? new Uint8Array()).length, 2);
    assert.ok(readdirSync(join(dir, 'forbidding/loader/keys/auto')).includes('dbx.auth'));
    assert.equal(make('MokList', 'bad.efi', ...kek, '-o', 'x.auth').code, 2);
    assert.equal(make('db', 'keys/README', ...kek, '-o', 'x.auth').code, 3);
    assert.equal(make('db', 'bad.efi', ...kek, '-o', 'bad.efi', '--force').code, 2);
    assert.equal(make('db', ...kek, '-o', 'x.auth').code, 2);
  });

  test('of two folders mixed, nothing is enrolled', () => {
    good(vouchsafe(dir, 'keys', 'generate', 'second', ...FIXED));
    mkdirSync(join(dir, 'mixed'));
    for (const [from, name] of [
      ['keys', 'PK'],
      ['keys', 'KEK'],
      ['second', 'db'],
    ] as const) {
      copyFileSync(join(dir, from, `${name}.auth`), join(dir, 'mixed', `${name}.auth`));
    }
    const mixed = vouchsafe(dir, 'keys', 'enroll', 'mixed', '--vars', 'vars.fd', '-o', 'mixed.fd', '--json');
    assert.equal(mixed.code, 3);
    assert.equal(JSON.parse(mixed.stdout).error.code, 'signer_unknown');
    assert.equal(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'keys/README', '-o', 'mixed.fd').code, 3);
    assert.equal(vouchsafe(dir, 'keys', 'enroll', 'nothing', '--vars', 'vars.fd', '-o', 'mixed.fd').code, 3);
    assert.equal(vouchsafe(dir, 'keys', 'enroll', 'keys', '--vars', 'vars.fd', '-o', 'vars.fd', '--force').code, 2);
    assert.ok(!readdirSync(dir).some((name) => name.includes('mixed.fd')));
  });
});
