// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PublicKeyCache } from '@vouchsafe/crypto';
import {
  decodeCertificate,
  decodeCertificates,
  decodeSignedData,
  OID,
  signDetached,
  verifySignedData,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { certificate, pkiError, readTestdata, testdataPath } from './helpers.ts';

const content = readTestdata('cms/content.txt');
const message = (name: string) => decodeSignedData(readTestdata(`cms/${name}.der`));

test('detached signatures of each scheme hold over their content and over no other', () => {
  const cases = [
    ['rsa-noattr', 'rsa', false],
    ['rsa-noattr-nocerts', 'rsa', false],
    ['rsa-attributes', 'rsa', true],
    ['rsa-pss', 'rsa', true],
    ['p256-attributes', 'p256', true],
    ['p256-key-identifier', 'p256', false],
    ['p384-noattr', 'p384', false],
  ] as const;
  for (const [name, signer, hasAttributes] of cases) {
    const signedData = message(name);
    const trusted = [certificate('other-rsa'), certificate(signer)];
    const verified = verifySignedData(signedData, { trusted, content });
    assert.equal(verified.contentType, OID.data, name);
    assert.deepEqual(verified.content, content);
    assert.deepEqual(
      verified.signers.map((each) => each.certificate.subject.text),
      [`CN=test-only ${signer}`],
    );
    assert.deepEqual(verified.unknownSigners, []);
    const other = Uint8Array.from(content, (byte) => byte ^ 1);
    const code = hasAttributes ? 'digest_mismatch' : 'signature_invalid';
    assert.throws(() => verifySignedData(signedData, { trusted, content: other }), pkiError(code), name);
    assert.throws(
      () => verifySignedData(signedData, { trusted: [certificate('other-rsa')], content }),
      pkiError('signer_unknown'),
      name,
    );
    assert.throws(() => verifySignedData(signedData, { trusted: [], content }), pkiError('signer_unknown'), name);
    assert.throws(() => verifySignedData(signedData, { trusted }), pkiError('content_missing'), name);
  }
});

test('what a message carries', () => {
  const signedData = message('rsa-attributes');
  assert.equal(signedData.content, undefined);
  assert.deepEqual(
    signedData.certificates.map((bytes) => decodeCertificate(bytes).subject.text),
    ['CN=test-only rsa'],
  );
  const [signer] = signedData.signers;
  assert.equal(signer?.signerIdentifier.kind, 'issuerAndSerial');
  const oids = signer?.signedAttributes?.list.map(({ oid }) => oid) ?? [];
  assert.ok(oids.includes(OID.contentType) && oids.includes(OID.messageDigest) && oids.includes(OID.signingTime));
  assert.equal(message('rsa-noattr-nocerts').certificates.length, 0);
  assert.equal(message('p256-key-identifier').signers[0]?.signerIdentifier.kind, 'subjectKeyIdentifier');
});

test('a message with its content inside gives it back, and takes no second one', () => {
  const trusted = [certificate('rsa')];
  assert.deepEqual(verifySignedData(message('rsa-attached'), { trusted }).content, content);
  assert.throws(() => verifySignedData(message('rsa-attached'), { trusted, content }), pkiError('content_missing'));
  const typed = verifySignedData(message('other-content-type'), { trusted });
  assert.equal(typed.contentType, '1.2.3.4');
  assert.deepEqual(typed.content, content);
});

test('one trusted signer among several is enough; the others are named', () => {
  const signedData = message('two-signers');
  const both = verifySignedData(signedData, { trusted: [certificate('rsa'), certificate('p256')], content });
  assert.equal(both.signers.length, 2);
  const one = verifySignedData(signedData, { trusted: [certificate('p256')], content });
  assert.equal(one.signers.length, 1);
  assert.equal(one.unknownSigners.length, 1);
});

test('digests are accepted by the caller', () => {
  const options = { trusted: [certificate('rsa')], content };
  assert.throws(() => verifySignedData(message('rsa-sha1'), options), pkiError('algorithm_refused'));
  assert.equal(verifySignedData(message('rsa-sha1'), { ...options, digests: ['sha1'] }).signers.length, 1);
  assert.throws(
    () => verifySignedData(message('rsa-noattr'), { ...options, digests: ['sha512'] }),
    pkiError('algorithm_refused'),
  );
});

test('keys come out of a cache when one is given', () => {
  const keys = new PublicKeyCache(4);
  verifySignedData(message('rsa-noattr'), { trusted: [certificate('rsa')], content, keys });
  assert.equal(keys.size, 1);
});

test('PKCS7_sign is reproduced byte for byte, with the certificate and without', async () => {
  const signer = await openKeyFileSigner({
    keyPath: testdataPath('keys/rsa.test-only.key'),
    certificatePath: testdataPath('certificates/rsa.pem'),
  });
  assert.deepEqual(
    await signDetached(content, signer, { includeCertificate: true }),
    readTestdata('cms/rsa-noattr.der'),
  );
  assert.deepEqual(
    await signDetached(content, signer, { includeCertificate: false }),
    readTestdata('cms/rsa-noattr-nocerts.der'),
  );
});

test('what is signed here is verified here, by every kind of key', async () => {
  for (const name of ['rsa', 'p256', 'p384', 'ed25519']) {
    const signer = await openKeyFileSigner({
      keyPath: testdataPath(`keys/${name}.test-only.key`),
      certificatePath: testdataPath(`certificates/${name}.pem`),
    });
    const signedData = decodeSignedData(await signDetached(content, signer, { includeCertificate: true }));
    const { signers } = verifySignedData(signedData, { trusted: [certificate(name)], content });
    assert.equal(signers[0].scheme.kind, signer.scheme.kind);
  }
});

test('signatures that efitools, sbsign and osslsigncode made', needsVectors('image/efivars'), () => {
  // SignedData without ContentInfo, after EFI_TIME and WIN_CERTIFICATE_UEFI_GUID: UEFI 2.10, 8.2.2.
  const auth = readFileSync(vectorPath('image/efivars/db.auth'));
  const bare = decodeSignedData(auth.subarray(40, 16 + auth.readUInt32LE(16)));
  assert.equal(bare.element.path, 'SignedData');
  assert.equal(bare.certificates.length, 1);
  const [db] = decodeCertificates(readFileSync(vectorPath('image/uki/keys/db.crt')));
  assert.ok(db);
  // Authenticode carries its content: SpcIndirectDataContent, of which the contents octets are digested.
  const signedData = decodeSignedData(readFileSync(vectorPath('image/sign/unsigned-uki.sbsign.pk7')).subarray(0, 1547));
  const verified = verifySignedData(signedData, { trusted: [db] });
  assert.equal(verified.contentType, '1.3.6.1.4.1.311.2.1.4');
});
