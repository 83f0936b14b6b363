// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseBase64url, SECRET_LABEL } from '@vouchsafe/protocol';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  createObject,
  createPrimary,
  decryptionKeyTemplate,
  execute,
  loadObject,
  spkiOf,
  srkTemplate,
  tpm2RsaDecrypt,
} from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { newKeyFile, parseKeyRing } from '../../src/domain/secrets/key-ring.ts';
import { secretContext, wrapSecret } from '../../src/domain/secrets/wrap-secret.ts';
import { openKeyRing } from '../../src/main/secret-key.ts';

const PLAIN = Buffer.from('correct horse battery staple');

test('what is sealed opens under its own name and key, and under no other', () => {
  const ring = parseKeyRing(newKeyFile(), 'file');
  const envelope = ring.seal(PLAIN, 'secret a version 1');
  assert.deepEqual(Buffer.from(ring.open(envelope, 'secret a version 1')), PLAIN);
  const wrong = { code: 'secret_key_wrong' };
  assert.throws(() => ring.open(envelope, 'secret a version 2'), wrong);
  assert.throws(() => ring.open(envelope, 'secret b version 1'), wrong);
  assert.throws(() => parseKeyRing(newKeyFile(), 'file').open(envelope, 'secret a version 1'), wrong);
  const other = ring.seal(PLAIN, 'secret a version 1');
  assert.throws(() => ring.open({ ...envelope, box: other.box }, 'secret a version 1'), wrong);
  for (const part of ['wrappedKey', 'box'] as const) {
    for (let at = 0; at < envelope[part].length; at += 7) {
      const changed = { ...envelope, [part]: envelope[part].map((octet, i) => (i === at ? octet ^ 1 : octet)) };
      assert.throws(() => ring.open(changed, 'secret a version 1'), wrong);
    }
    assert.throws(() => ring.open({ ...envelope, [part]: new Uint8Array(12) }, 'secret a version 1'), wrong);
  }
  assert.notDeepEqual(other.box, envelope.box);
  assert.equal(Buffer.from(envelope.box).includes(PLAIN), false);
});

test('rotation: a key on top of the file is used from then on, and older ones still open', () => {
  const [old, fresh] = [newKeyFile(), newKeyFile()];
  const envelope = parseKeyRing(old, 'file').seal(PLAIN, 'x');
  const both = parseKeyRing(`# new\n${fresh}# old, until all is wrapped anew\n${old}`, 'file');
  assert.deepEqual(Buffer.from(both.open(envelope, 'x')), PLAIN);
  const rewrapped = both.rewrap(envelope, 'x');
  assert.deepEqual(rewrapped.box, envelope.box);
  assert.equal(rewrapped.keyId, both.currentId);
  assert.deepEqual(Buffer.from(parseKeyRing(fresh, 'file').open(rewrapped, 'x')), PLAIN);
  assert.throws(() => parseKeyRing(old, 'file').open(rewrapped, 'x'), { code: 'secret_key_wrong' });
});

test('a key file is 1 to 16 lines of 64 digits', () => {
  const line = 'ab'.repeat(32);
  parseKeyRing(Array.from({ length: 16 }, () => line).join('\n'), 'file');
  for (const text of [
    '',
    '# nothing',
    'ab',
    `${line}0`,
    `${line}\nxy`,
    Array.from({ length: 17 }, () => line).join('\n'),
  ]) {
    assert.throws(() => parseKeyRing(text, 'file'), { code: 'configuration_invalid' });
  }
});

test('the key comes from the state folder, a file, a systemd credential or a command', async (t) => {
  const dir = tempDir(t);
  const first = await openKeyRing(dir, undefined);
  assert.equal(statSync(join(dir, 'secrets.key')).mode & 0o777, 0o600);
  assert.equal((await openKeyRing(dir, undefined)).currentId, first.currentId);
  const path = join(dir, 'other.key');
  writeFileSync(path, newKeyFile(), { mode: 0o600 });
  const { currentId } = parseKeyRing(readFileSync(path, 'utf8'), path);
  assert.equal((await openKeyRing(dir, { kind: 'file', path })).currentId, currentId);
  chmodSync(path, 0o640);
  await assert.rejects(openKeyRing(dir, { kind: 'file', path }), { code: 'state_unsafe' });
  await assert.rejects(openKeyRing(dir, { kind: 'file', path: join(dir, 'none') }), { code: 'configuration_invalid' });
  const command = ['cat', path];
  assert.equal((await openKeyRing(dir, { kind: 'command', command })).currentId, currentId);
  await assert.rejects(openKeyRing(dir, { kind: 'command', command: ['false'] }), { code: 'configuration_invalid' });
  const credentials = join(dir, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'vouchsafe-secrets'), readFileSync(path), { mode: 0o400 });
  const before = process.env['CREDENTIALS_DIRECTORY'];
  process.env['CREDENTIALS_DIRECTORY'] = credentials;
  t.after(() => {
    if (before === undefined) delete process.env['CREDENTIALS_DIRECTORY'];
    else process.env['CREDENTIALS_DIRECTORY'] = before;
  });
  const credential = { kind: 'credential', name: 'vouchsafe-secrets' } as const;
  assert.equal((await openKeyRing(dir, credential)).currentId, currentId);
  for (const name of ['../other.key', 'none']) {
    await assert.rejects(openKeyRing(dir, { kind: 'credential', name }), { code: 'configuration_invalid' });
  }
});

test('the key comes out of a PKCS #11 token', needsTool('softhsm2-util', 'pkcs11-tool', 'openssl'), async (t) => {
  const dir = tempDir(t);
  const at = (name: string): string => join(dir, name);
  mkdirSync(at('tokens'));
  writeFileSync(at('softhsm2.conf'), `directories.tokendir = ${at('tokens')}\nlog.level = ERROR\n`);
  const before = process.env['SOFTHSM2_CONF'];
  process.env['SOFTHSM2_CONF'] = at('softhsm2.conf');
  t.after(() => {
    if (before === undefined) delete process.env['SOFTHSM2_CONF'];
    else process.env['SOFTHSM2_CONF'] = before;
  });
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: 'pipe' });
  };
  const token = ['--module', '/usr/lib/softhsm/libsofthsm2.so', '--token-label', 'vouchsafe', '--pin', '1234'];
  run('softhsm2-util', '--init-token', '--free', '--label', 'vouchsafe', '--pin', '1234', '--so-pin', '1234');
  run('pkcs11-tool', ...token, '--keypairgen', '--key-type', 'rsa:2048', '--id', '01', '--usage-decrypt');
  run('pkcs11-tool', ...token, '--read-object', '--type', 'pubkey', '--id', '01', '-o', at('public.der'));
  writeFileSync(at('plain'), newKeyFile());
  const keys = ['-pubin', '-keyform', 'DER', '-inkey', at('public.der')];
  run('openssl', 'pkeyutl', '-encrypt', ...keys, '-in', at('plain'), '-out', at('secrets.key.enc'));
  const decrypt = ['--decrypt', '--mechanism', 'RSA-PKCS', '--id', '01', '--input-file', at('secrets.key.enc')];
  const ring = await openKeyRing(dir, { kind: 'command', command: ['pkcs11-tool', ...token, ...decrypt] });
  assert.equal(ring.currentId, parseKeyRing(readFileSync(at('plain'), 'utf8'), 'file').currentId);
});

test('a secret for a machine is opened by its TPM, with TPM2_RSA_Decrypt', needsTool('swtpm'), async (t) => {
  const swtpm = await startSwtpm(t, tempDir(t));
  const tpm = await openSwtpm({ path: swtpm.path });
  t.after(() => tpm.close());
  const srk = await createPrimary(tpm, { template: srkTemplate('ecc') });
  const key = await loadObject(tpm, srk, await createObject(tpm, srk, { template: decryptionKeyTemplate() }));
  const spki = spkiOf(key.area.value);
  const granted = wrapSecret({ name: 'disk', version: 1, plain: PLAIN }, 'edge-7', { use: 'decryption', spki });
  const input = {
    keyHandle: key,
    cipherText: parseBase64url(granted.wrappedKey),
    inScheme: { scheme: 'null', details: {} } as const,
    label: Buffer.from(SECRET_LABEL),
  };
  const { message } = await execute(tpm, tpm2RsaDecrypt, input, { allowPlaintext: true });
  const box = parseBase64url(granted.box);
  const decipher = createDecipheriv('aes-256-gcm', message, box.subarray(0, 12));
  decipher.setAAD(secretContext('edge-7', 'disk')).setAuthTag(box.subarray(-16));
  assert.deepEqual(Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]), PLAIN);
});

test('a secret for a machine: its key opens the key, and the box names whose it is', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const secret = { name: 'disk', version: 3, plain: PLAIN };
  const granted = wrapSecret(secret, 'edge-7', { use: 'decryption', spki });
  assert.equal(granted.version, 3);
  const label = Buffer.from('vouchsafe-secret\0');
  const oaep = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: label };
  const key = privateDecrypt(oaep, parseBase64url(granted.wrappedKey));
  const box = parseBase64url(granted.box);
  const open = (context: Uint8Array): Buffer => {
    const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, 12)).setAAD(context);
    decipher.setAuthTag(box.subarray(-16));
    return Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]);
  };
  assert.deepEqual(open(secretContext('edge-7', 'disk')), PLAIN);
  assert.throws(() => open(secretContext('edge-8', 'disk')));
  assert.throws(() => open(secretContext('edge-7', 'other')));
  assert.throws(() =>
    privateDecrypt({ ...oaep, oaepLabel: Buffer.from('other\0') }, parseBase64url(granted.wrappedKey)),
  );
});
