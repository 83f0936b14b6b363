// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decodeCertificate,
  decodeSignedData,
  encodeInteger,
  encodeOctetString,
  encodeSequence,
  OID,
  type Signer,
  signAttached,
  verifySignedData,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { certificate, pkiError, readTestdata, testdataPath } from './helpers.ts';

/** SPC_INDIRECT_DATA_OBJID, whose content is a SEQUENCE. */
const INDIRECT_DATA = '1.3.6.1.4.1.311.2.1.4';
const CONTENT = encodeSequence(encodeInteger(1n), encodeOctetString(Uint8Array.of(1, 2, 3)));

const signerOf = (name: string): Promise<Signer> =>
  openKeyFileSigner({
    keyPath: testdataPath(`keys/${name}.test-only.key`),
    certificatePath: testdataPath(`certificates/${name}.pem`),
  });

test('content that is a SEQUENCE is signed over its contents octets, with its type', async () => {
  const message = await signAttached(CONTENT, await signerOf('rsa'), { contentType: INDIRECT_DATA });
  const signedData = decodeSignedData(message);
  const verified = verifySignedData(signedData, { trusted: [certificate('rsa')] });
  assert.equal(verified.contentType, INDIRECT_DATA);
  assert.deepEqual(signedData.content?.bytes, CONTENT);
  assert.deepEqual(
    signedData.signers[0]?.signedAttributes?.list.map(({ oid }) => oid),
    [OID.contentType, OID.messageDigest],
  );
  assert.throws(
    () => verifySignedData(signedData, { trusted: [certificate('other-rsa')] }),
    pkiError('signer_unknown'),
  );
});

test('the same bytes each time; with a time, it is signed too', async () => {
  const signer = await signerOf('rsa');
  const options = { contentType: INDIRECT_DATA, signingTimeMs: 1_700_000_000_000 };
  const message = await signAttached(CONTENT, signer, options);
  assert.deepEqual(message, await signAttached(CONTENT, signer, options));
  const [info] = decodeSignedData(message).signers;
  assert.ok(info?.signedAttributes?.list.some(({ oid }) => oid === OID.signingTime));
});

test('further certificates are carried behind the signer’s', async () => {
  const certificates = [certificate('p256')];
  const message = await signAttached(CONTENT, await signerOf('rsa'), { contentType: INDIRECT_DATA, certificates });
  assert.deepEqual(
    decodeSignedData(message).certificates.map((bytes) => decodeCertificate(bytes).subject.text),
    ['CN=test-only rsa', 'CN=test-only p256'],
  );
});

test('content that is not one element in DER is refused', async () => {
  const signer = await signerOf('rsa');
  const options = { contentType: INDIRECT_DATA };
  const two = Uint8Array.from([...CONTENT, ...CONTENT]);
  await assert.rejects(signAttached(two, signer, options), pkiError('der_trailing'));
  await assert.rejects(signAttached(new Uint8Array(), signer, options), pkiError('der_tag'));
  await assert.rejects(signAttached(CONTENT.subarray(0, -1), signer, options), pkiError('der_truncated'));
});

test('openssl verifies it', needsTool('openssl'), async (t) => {
  const path = join(tempDir(t), 'message.der');
  for (const name of ['rsa', 'p256']) {
    const content = encodeOctetString(readTestdata('cms/content.txt'));
    writeFileSync(path, await signAttached(content, await signerOf(name), { contentType: OID.data }));
    const file = testdataPath(`certificates/${name}.pem`);
    const options = ['-binary', '-certfile', file, '-nointern', '-noverify'];
    const out = execFileSync('openssl', ['cms', '-verify', '-inform', 'DER', '-in', path, ...options], {
      stdio: 'pipe',
    });
    assert.deepEqual(new Uint8Array(out), readTestdata('cms/content.txt'));
  }
});
