// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digest } from '@vouchsafe/crypto';
import {
  type DigestSigner,
  importKey,
  isSignatureBy,
  type MessageSigner,
  signDetached,
  signWith,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { tempDir } from '@vouchsafe/testing';
import { certificate, hex, pkiError, testdataPath } from './helpers.ts';

const keyPath = (name: string) => testdataPath(`keys/${name}.test-only.key`);
const message = hex('6d657373616765');

test('a key file signs in the scheme of its key', async () => {
  const schemes = {
    rsa: { kind: 'rsa-pkcs1', hash: 'sha256' },
    p256: { kind: 'ecdsa', hash: 'sha256', encoding: 'der' },
    p384: { kind: 'ecdsa', hash: 'sha384', encoding: 'der' },
    ed25519: { kind: 'ed25519' },
  };
  for (const [name, scheme] of Object.entries(schemes)) {
    const signer = await openKeyFileSigner({ keyPath: keyPath(name) });
    assert.deepEqual(signer.scheme, scheme);
    assert.equal(signer.certificate, undefined);
    assert.deepEqual(signer.spki, Uint8Array.from(certificate(name).publicKey.bytes));
    const signature = await signWith(signer, message);
    assert.ok(isSignatureBy(importKey(signer.spki), signer.scheme, message, signature), name);
  }
  const sha512 = await openKeyFileSigner({ keyPath: keyPath('rsa'), hash: 'sha512' });
  assert.deepEqual(sha512.scheme, { kind: 'rsa-pkcs1', hash: 'sha512' });
  await signWith(sha512, message);
});

test('the certificate of the key is found among others', async () => {
  const certificatePath = testdataPath('certificates/bundle.pem');
  const signer = await openKeyFileSigner({ keyPath: keyPath('p384'), certificatePath });
  assert.equal(signer.certificate?.subject.text, 'CN=test-only p384');
  await assert.rejects(openKeyFileSigner({ keyPath: keyPath('rsa'), certificatePath }), pkiError('key_mismatch'));
});

test('an encrypted key opens with its passphrase only', async () => {
  const path = keyPath('p256-encrypted');
  assert.equal((await openKeyFileSigner({ keyPath: path, passphrase: 'test-only' })).scheme.kind, 'ecdsa');
  await assert.rejects(openKeyFileSigner({ keyPath: path, passphrase: 'another' }), pkiError('passphrase_wrong'));
  await assert.rejects(openKeyFileSigner({ keyPath: path }), pkiError('passphrase_wrong'));
});

test('files that are missing, too large or no key', async (t) => {
  const folder = tempDir(t);
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  await assert.rejects(openKeyFileSigner({ keyPath: join(folder, 'none') }), pkiError('io'));
  await assert.rejects(openKeyFileSigner({ keyPath: folder }), pkiError('io'));
  await assert.rejects(
    openKeyFileSigner({ keyPath: write('large', new Uint8Array(1024 * 1024 + 1)) }),
    pkiError('input_limit'),
  );
  await assert.rejects(openKeyFileSigner({ keyPath: write('empty', new Uint8Array()) }), pkiError('key_invalid'));
  const certificatePath = testdataPath('certificates/rsa.pem');
  await assert.rejects(openKeyFileSigner({ keyPath: certificatePath }), pkiError('key_invalid'));
  await assert.rejects(
    openKeyFileSigner({ keyPath: keyPath('rsa'), certificatePath: keyPath('rsa') }),
    pkiError('pem_malformed'),
  );
});

test('a device gets the digest alone, and its answer is checked before anybody sees it', async () => {
  const file = await openKeyFileSigner({
    keyPath: keyPath('rsa'),
    certificatePath: testdataPath('certificates/rsa.pem'),
  });
  assert.ok(file.input === 'digest');
  const given: Uint8Array[] = [];
  const device: DigestSigner = {
    ...file,
    signDigest: (value) => {
      given.push(value);
      return file.signDigest(value);
    },
  };
  await signDetached(message, device, { includeCertificate: false });
  assert.deepEqual(
    given.map((value) => Buffer.from(value).toString('hex')),
    [Buffer.from(digest('sha256', message)).toString('hex')],
  );

  const faulty: DigestSigner = { ...file, signDigest: async () => new Uint8Array(256) };
  await assert.rejects(signWith(faulty, message), pkiError('key_mismatch'));
  const other = await openKeyFileSigner({ keyPath: keyPath('other-rsa') });
  const confused: DigestSigner = {
    ...file,
    signDigest: async (value) => (other.input === 'digest' ? other.signDigest(value) : value),
  };
  await assert.rejects(signWith(confused, message), pkiError('key_mismatch'));
});

test('a message is signed with the certificate of its key, and with no other', async () => {
  const { certificate: own, ...bare } = await openKeyFileSigner({
    keyPath: keyPath('ed25519'),
    certificatePath: testdataPath('certificates/ed25519.pem'),
  });
  assert.ok(own && bare.input === 'message');
  const signer: MessageSigner = bare;
  await assert.rejects(signDetached(message, signer, { includeCertificate: true }), pkiError('argument_invalid'));
  const foreign = { ...signer, certificate: certificate('p256') };
  await assert.rejects(signDetached(message, foreign, { includeCertificate: true }), pkiError('key_mismatch'));
});
