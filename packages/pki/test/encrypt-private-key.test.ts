// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encryptPrivateKey, openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { pkiError, testdataPath } from './helpers.ts';

const pem = readFileSync(testdataPath('keys/p256.test-only.key'), 'utf8');

test('a key under a pass phrase opens with it only, and is other bytes each time', async (t) => {
  const keyPath = join(tempDir(t), 'key');
  const encrypted = encryptPrivateKey(pem, 'correct horse');
  writeFileSync(keyPath, encrypted);
  const { spki } = await openKeyFileSigner({ keyPath, passphrase: 'correct horse' });
  const plain = await openKeyFileSigner({ keyPath: testdataPath('keys/p256.test-only.key') });
  assert.deepEqual(spki, plain.spki);
  await assert.rejects(openKeyFileSigner({ keyPath, passphrase: 'correct Horse' }), pkiError('passphrase_wrong'));
  assert.notEqual(encryptPrivateKey(pem, 'correct horse'), encrypted);
});

test('an empty pass phrase, and what is no key, are refused', () => {
  assert.throws(() => encryptPrivateKey(pem, ''), pkiError('passphrase_wrong'));
  assert.throws(() => encryptPrivateKey('', 'correct horse'), pkiError('key_invalid'));
});

test('openssl opens it, with the cost that was meant', needsTool('openssl'), (t) => {
  const keyPath = join(tempDir(t), 'key');
  writeFileSync(keyPath, encryptPrivateKey(pem, 'Grüße aus Überlingen'));
  const opened = execFileSync('openssl', ['pkey', '-in', keyPath, '-passin', 'pass:Grüße aus Überlingen']);
  assert.equal(opened.toString(), pem);
  const structure = execFileSync('openssl', ['asn1parse', '-in', keyPath], { encoding: 'utf8' });
  assert.match(structure, /:PBKDF2[\s\S]+INTEGER\s+:0927C0[\s\S]+:hmacWithSHA256[\s\S]+:aes-256-cbc/);
});
