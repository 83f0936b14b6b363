// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { decodeCertificates, encodeBase64, formatCertificate, formatPem, parseBase64, parsePem } from '@vouchsafe/pki';
import fc from 'fast-check';
import { certificate, hex, pkiError, readTestdata } from './helpers.ts';

test('base64: RFC 4648, 10, and as Node writes it', () => {
  for (const [text, encoded] of [
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foobar', 'Zm9vYmFy'],
  ] as const) {
    assert.equal(encodeBase64(Buffer.from(text)), encoded);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.deepEqual(parseBase64(encodeBase64(bytes)), bytes);
    }),
  );
});

test('base64: one spelling only', () => {
  for (const text of ['Z', 'Zg', 'Zg=', 'Zh==', 'Zm9=', 'Zg==Zg==', '====', 'Zm9\n', 'Zm-_', 'Z===', ' Zg=', 'Zgé=']) {
    assert.throws(() => parseBase64(text), pkiError('base64_malformed'), JSON.stringify(text));
  }
});

test('PEM: several blocks, text between them, both line ends', () => {
  const text = `before\n${formatPem('A', hex('01'))}between: -----\r\n${formatPem('B C', hex('0203')).replaceAll('\n', '\r\n')}after`;
  assert.deepEqual(parsePem(text), [
    { label: 'A', bytes: hex('01') },
    { label: 'B C', bytes: hex('0203') },
  ]);
  assert.throws(() => parsePem(text, 'A'), pkiError('pem_malformed'));
  assert.deepEqual(parsePem(''), []);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      assert.deepEqual(parsePem(formatPem('X', bytes))[0]?.bytes, bytes),
    ),
  );
});

test('PEM: what is malformed', () => {
  for (const text of [
    '-----BEGIN A-----\n',
    '-----BEGIN A-----\nAQ==\n',
    '-----BEGIN A-----\nAQ==\n-----END B-----\n',
    '-----BEGIN A-----\n-----BEGIN A-----\nAQ==\n-----END A-----\n',
    '-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAQ==\n-----END A-----\n',
    '-----BEGIN A-----\nAQ=\n-----END A-----\n',
    '-----BEGIN A-----\nA Q==\n-----END A-----\n',
    '-----END A-----\n',
    '-----BEGIN a-----\n',
    '-----BEGIN A----\n',
  ]) {
    assert.throws(() => parsePem(text), pkiError('pem_malformed'), JSON.stringify(text));
  }
  assert.throws(() => parsePem('\n'.repeat(8 * 1024 * 1024 + 1)), pkiError('input_limit'));
  assert.throws(() => parsePem(formatPem('A', hex('01')).repeat(4097)), pkiError('input_limit'));
});

test('certificates out of a file: DER, PEM, a bundle; no other labels, no empty file', () => {
  const rsa = certificate('rsa');
  assert.deepEqual(decodeCertificates(readTestdata('certificates/rsa.der'))[0]?.bytes, rsa.bytes);
  assert.equal(formatCertificate(rsa), Buffer.from(readTestdata('certificates/rsa.pem')).toString());
  const bundle = decodeCertificates(readTestdata('certificates/bundle.pem'));
  assert.deepEqual(
    bundle.map(({ subject }) => subject.text),
    ['CN=test-only p256', 'CN=test-only p384'],
  );
  assert.throws(() => decodeCertificates(readTestdata('keys/rsa.test-only.key')), pkiError('pem_malformed'));
  const numbered = concatBytes(utf8('0: the first\n'), readTestdata('certificates/rsa.pem'));
  assert.equal(decodeCertificates(numbered).length, 1);
  assert.throws(() => decodeCertificates(new Uint8Array()), pkiError('pem_malformed'));
  assert.throws(() => decodeCertificates(Buffer.from('Löwe')), pkiError('pem_malformed'));
});
