// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  decodeCertificates,
  decodeSignedData,
  fingerprintOf,
  formatCertificate,
  importKey,
  isCertificateSignedBy,
  issueSelfSigned,
  OID,
  signDetached,
  verifySignedData,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { certificate, pkiError, readTestdata, testdataPath } from './helpers.ts';

const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const signerOf = (name: string) =>
  openKeyFileSigner({
    keyPath: testdataPath(`keys/${name}.test-only.key`),
    certificatePath: testdataPath(`certificates/${name}.pem`),
  });

function writer(t: TestContext): (name: string, bytes: string | Uint8Array) => string {
  const folder = tempDir(t);
  return (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
}

test('openssl reads the same from a certificate', needsTool('openssl'), () => {
  for (const name of ['rsa', 'rsa-pss', 'p384', 'ed25519', 'extensions']) {
    const path = testdataPath(`certificates/${name}.pem`);
    const show = (...args: string[]) =>
      openssl('x509', '-in', path, '-noout', ...args)
        .trim()
        .replace(/^[^=]*=/, '');
    const ours = certificate(name);
    assert.equal(BigInt(`0x${show('-serial')}`), ours.serialNumber);
    assert.equal(
      show('-fingerprint', '-sha256').replaceAll(':', '').toLowerCase(),
      Buffer.from(fingerprintOf(ours)).toString('hex'),
    );
    assert.equal(Date.parse(show('-startdate')), ours.validity.notBeforeMs);
    assert.equal(Date.parse(show('-enddate')), ours.validity.notAfterMs);
    const spki = openssl('x509', '-in', path, '-noout', '-pubkey').replace(/-----.*?-----|\s/g, '');
    assert.equal(spki, Buffer.from(ours.publicKey.bytes).toString('base64'));
    // OpenSSL has a name of its own for the e-mail address, and another order within one relative name.
    if (name === 'extensions') continue;
    assert.equal(show('-subject', '-nameopt', 'RFC2253,utf8,-esc_msb'), ours.subject.text);
  }
});

test('openssl verifies certificates issued here', needsTool('openssl'), async (t) => {
  const write = writer(t);
  for (const name of ['rsa', 'p256', 'p384', 'ed25519']) {
    const issued = await issueSelfSigned(
      {
        subject: [{ oid: OID.commonName, text: 'issued, "here"' }],
        serialNumber: 0x80n,
        validity: { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2120, 0, 1) },
        basicConstraints: { isCa: true, pathLength: 0 },
        keyUsage: ['digitalSignature', 'keyCertSign'],
        extKeyUsage: [OID.codeSigning],
      },
      await signerOf(name),
    );
    const path = write(`${name}.pem`, formatCertificate(issued));
    assert.match(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', path, path), /: OK/);
    const text = openssl('x509', '-in', path, '-noout', '-text', '-nameopt', 'RFC2253');
    assert.ok(text.includes(`Subject: ${issued.subject.text}\n`), text);
    assert.match(text, /Serial Number: 128 \(0x80\)/);
    assert.match(text, /Not After : Jan {2}1 00:00:00 2120 GMT/);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(text, /Key Usage: critical\s+Digital Signature, Certificate Sign\n/);
    assert.match(text, /Extended Key Usage: \s+Code Signing/);
    const der = write(`${name}.der`, issued.bytes);
    assert.equal(openssl('asn1parse', '-inform', 'der', '-in', der, '-noout'), '');
  }
});

test('openssl verifies messages signed here', needsTool('openssl'), async (t) => {
  const write = writer(t);
  const content = testdataPath('cms/content.txt');
  for (const name of ['rsa', 'p256', 'p384']) {
    const trusted = testdataPath(`certificates/${name}.pem`);
    for (const includeCertificate of [true, false]) {
      const signature = await signDetached(readTestdata('cms/content.txt'), await signerOf(name), {
        includeCertificate,
      });
      const path = write(`${name}.der`, signature);
      const files = ['-inform', 'der', '-in', path, '-content', content, '-CAfile', trusted, '-certfile', trusted];
      assert.equal(openssl('cms', '-verify', '-binary', '-purpose', 'any', ...files), readFileSync(content, 'utf8'));
      assert.equal(openssl('smime', '-verify', '-binary', '-purpose', 'any', ...files), readFileSync(content, 'utf8'));
    }
  }
});

test('openssl signs messages that verify here', needsTool('openssl'), async (t) => {
  const write = writer(t);
  const content = Buffer.from('made in a test');
  const input = write('content', content);
  const forms: string[][] = [['-noattr'], [], ['-nocerts'], ['-keyid'], ['-nodetach']];
  for (const name of ['rsa', 'p256', 'p384']) {
    const key = [
      '-signer',
      testdataPath(`certificates/${name}.pem`),
      '-inkey',
      testdataPath(`keys/${name}.test-only.key`),
    ];
    for (const form of forms) {
      const output = write('message.der', '');
      openssl(
        'cms',
        '-sign',
        '-binary',
        '-md',
        'sha384',
        '-outform',
        'der',
        '-in',
        input,
        '-out',
        output,
        ...key,
        ...form,
      );
      const signedData = decodeSignedData(readFileSync(output));
      const detached = signedData.content === undefined ? { content } : {};
      const verified = verifySignedData(signedData, { trusted: [certificate(name)], ...detached });
      assert.deepEqual(Buffer.from(verified.content), content, `${name} ${form}`);
    }
  }
});

test('openssl streams BER, which is refused by its name', needsTool('openssl'), (t) => {
  const output = writer(t)('message.der', '');
  const key = ['-signer', testdataPath('certificates/rsa.pem'), '-inkey', testdataPath('keys/rsa.test-only.key')];
  openssl(
    'cms',
    '-sign',
    '-binary',
    '-stream',
    '-nodetach',
    '-outform',
    'der',
    '-in',
    testdataPath('cms/content.txt'),
    '-out',
    output,
    ...key,
  );
  assert.throws(() => decodeSignedData(readFileSync(output)), pkiError('der_length', 0));
});

test('openssl makes certificates that read here', needsTool('openssl'), (t) => {
  const write = writer(t);
  const kinds = [['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], ['ed25519']];
  for (const kind of kinds) {
    const out = write('certificate', '');
    const subject = ['-multivalue-rdn', '-subj', '/C=DE/O=a+CN=b/DC=x'];
    openssl('req', '-x509', '-newkey', ...kind, '-nodes', '-keyout', write('key', ''), '-out', out, ...subject);
    const [made] = decodeCertificates(readFileSync(out));
    assert.ok(made);
    assert.equal(made.subject.text, 'DC=x,CN=b+O=a,C=DE');
    assert.ok(isCertificateSignedBy(made, importKey(made.publicKey.bytes)));
  }
});
