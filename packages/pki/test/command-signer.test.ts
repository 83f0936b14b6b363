// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decodeSignedData,
  importKey,
  isSignatureBy,
  type Signer,
  signDetached,
  signWith,
  verifySignedData,
} from '@vouchsafe/pki';
import { type CommandSignerOptions, openCommandSigner, openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { certificate, hex, pkiError, testdataPath } from './helpers.ts';

const message = hex('6d657373616765');
const keyPath = (name: string) => testdataPath(`keys/${name}.test-only.key`);
const certificatePath = (name: string) => testdataPath(`certificates/${name}.pem`);

const open = (command: readonly string[], more: Partial<CommandSignerOptions> = {}): Promise<Signer> =>
  openCommandSigner({ command, certificatePath: certificatePath('rsa'), ...more });
/** A command in the words of a shell. */
const shell = (script: string, more: Partial<CommandSignerOptions> = {}): Promise<Signer> =>
  open(['sh', '-c', script], more);

test('each kind of key signs through openssl', needsTool('openssl'), async (t) => {
  for (const [name, options] of [
    ['rsa', ['-pkeyopt', 'digest:sha256']],
    ['p256', []],
    ['p384', []],
  ] as const) {
    const command = ['openssl', 'pkeyutl', '-sign', '-inkey', keyPath(name), ...options];
    const signer = await open(command, { certificatePath: certificatePath(name) });
    const signature = await signWith(signer, message);
    assert.ok(isSignatureBy(importKey(certificate(name).publicKey.bytes), signer.scheme, message, signature), name);
  }
  // openssl takes the message for Ed25519 from a file only, as it reads it twice.
  const script = 'cat >"$0" && openssl pkeyutl -sign -rawin -in "$0" -inkey "$1"';
  const command = ['sh', '-c', script, join(tempDir(t), 'message'), keyPath('ed25519')];
  const signer = await open(command, { certificatePath: certificatePath('ed25519') });
  const file = await openKeyFileSigner({ keyPath: keyPath('ed25519') });
  assert.deepEqual(await signWith(signer, message), await signWith(file, message));
});

test('the same bytes as from the key file, in each form of the input', needsTool('openssl', 'perl'), async () => {
  const file = await openKeyFileSigner({ keyPath: keyPath('rsa'), certificatePath: certificatePath('rsa') });
  const expected = await signDetached(message, file, { includeCertificate: true });
  const sign = `openssl pkeyutl -sign -inkey '${keyPath('rsa')}'`;
  for (const [stdin, script] of [
    ['digest', `${sign} -pkeyopt "digest:$VOUCHSAFE_SIGN_HASH"`],
    ['hex', `perl -e 'print pack "H*", <STDIN> =~ s{\\s}{}gr' | ${sign} -pkeyopt "digest:$VOUCHSAFE_SIGN_HASH"`],
    ['digest-info', `test "$VOUCHSAFE_SIGN_SCHEME" = rsa-pkcs1 && ${sign}`],
  ] as const) {
    const signer = await shell(script, { stdin });
    const signed = await signDetached(message, signer, { includeCertificate: true });
    assert.deepEqual(signed, expected, stdin);
    verifySignedData(decodeSignedData(signed), { trusted: [certificate('rsa')], content: message });
  }
});

const MODULES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/softhsm/libsofthsm2.so'];

test(
  'a PKCS #11 token signs, with a script and with pkcs11-tool alone',
  needsTool('softhsm2-util', 'pkcs11-tool', 'openssl'),
  async (t) => {
    const folder = tempDir(t);
    const module = MODULES.find((path) => existsSync(path));
    assert.ok(module, `expected one of ${MODULES.join(', ')}`);
    mkdirSync(join(folder, 'tokens'));
    const configuration = join(folder, 'softhsm2.conf');
    writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
    process.env['SOFTHSM2_CONF'] = configuration;
    t.after(() => {
      delete process.env['SOFTHSM2_CONF'];
    });
    const softhsm = (...args: string[]) => execFileSync('softhsm2-util', args, { stdio: 'pipe' });
    softhsm('--init-token', '--free', '--label', 'vouchsafe', '--so-pin', 'so-pin', '--pin', 'test-only');
    const imported = ['--import', keyPath('rsa'), '--token', 'vouchsafe', '--label', 'db', '--id', '01'];
    softhsm(...imported, '--pin', 'test-only');

    const tool = ['pkcs11-tool', '--module', module, '--token-label', 'vouchsafe', '--pin', 'test-only'];
    const sign = [...tool, '--sign', '--id', '01', '--mechanism', 'RSA-PKCS'];
    const script = join(folder, 'sign-with-token');
    // The DigestInfo of SHA-256 (RFC 8017, 9.2, note 1) before the digest, as the mechanism does not make it.
    const prefix = '3031300d060960864801650304020105000420'.replaceAll(
      /../g,
      (octet) => `\\${Number.parseInt(octet, 16).toString(8).padStart(3, '0')}`,
    );
    writeFileSync(
      script,
      `#!/bin/sh\nset -eu\nfolder=$(mktemp -d)\ntrap 'rm -r "$folder"' EXIT\n{ printf '${prefix}'; cat; } >"$folder/in"\n${sign.join(' ')} --input-file "$folder/in" --output-file "$folder/out" >&2\ncat "$folder/out"\n`,
    );
    chmodSync(script, 0o755);

    const file = await openKeyFileSigner({ keyPath: keyPath('rsa') });
    const expected = await signWith(file, message);
    assert.deepEqual(await signWith(await open([script]), message), expected);
    const streams = [...sign, '--input-file', '/dev/stdin', '--output-file', '/dev/stdout'];
    assert.deepEqual(await signWith(await open(streams, { stdin: 'digest-info' }), message), expected);

    const wrongPin = sign.map((word) => (word === 'test-only' ? 'wrong' : word));
    await assert.rejects(signWith(await open(wrongPin, { stdin: 'digest-info' }), message), pkiError('command_failed'));
  },
);

test('commands that fail, hang, say nothing or too much', async () => {
  const failing = async (script: string, code: Parameters<typeof pkiError>[0], more?: Partial<CommandSignerOptions>) =>
    assert.rejects(signWith(await shell(script, more), message), pkiError(code), script);
  await assert.rejects(signWith(await open(['/no/such/program']), message), pkiError('command_failed'));
  await failing('exit 3', 'command_failed');
  await failing('kill -9 $$', 'command_failed');
  await failing('true', 'command_output');
  await failing('cat /dev/zero', 'command_output');
  await failing('head -c 8193 /dev/zero', 'command_output');
  await failing('head -c 8192 /dev/zero', 'key_mismatch');
  // Its child holds the output open for longer than anybody waits.
  await failing('sleep 5; true', 'command_timeout', { timeoutMs: 50 });
  await failing('head -c 256 /dev/zero', 'key_mismatch');
  // It reads nothing of what it is given.
  await failing('exec <&-; echo signed', 'key_mismatch');
  await failing('echo signed', 'key_mismatch');
});

test('what the command said is in the message, without what a terminal would obey', async () => {
  const signer = await shell(`printf 'no card\\033[2J\\nin the reader' >&2; exit 1`);
  await assert.rejects(signWith(signer, message), (error: Error) => {
    assert.match(error.message, /^sh: .*exit status 1; it said: no card \[2J in the reader$/);
    return true;
  });
  const talkative = await shell('head -c 100000 /dev/zero | tr "\\\\0" x >&2; exit 1');
  await assert.rejects(signWith(talkative, message), (error: Error) => error.message.length < 2200);
});

test('a signature of another key is refused before anybody sees it', needsTool('openssl'), async () => {
  const command = ['openssl', 'pkeyutl', '-sign', '-inkey', keyPath('other-rsa'), '-pkeyopt', 'digest:sha256'];
  await assert.rejects(signWith(await open(command), message), pkiError('key_mismatch'));
});

test('options that cannot be met', async () => {
  await assert.rejects(open([]), pkiError('argument_invalid'));
  await assert.rejects(open(['']), pkiError('argument_invalid'));
  await assert.rejects(open(['sign\0']), pkiError('argument_invalid'));
  const ed25519 = { certificatePath: certificatePath('ed25519') };
  await assert.rejects(open(['sign'], { ...ed25519, stdin: 'hex' }), pkiError('argument_invalid'));
  const p256 = { certificatePath: certificatePath('p256') };
  await assert.rejects(open(['sign'], { ...p256, stdin: 'digest-info' }), pkiError('argument_invalid'));
  await assert.rejects(open(['sign'], { certificatePath: '/no/such/file' }), pkiError('io'));
  await assert.rejects(open(['sign'], { certificatePath: keyPath('rsa') }), pkiError('pem_malformed'));
});
