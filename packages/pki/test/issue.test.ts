// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importKey, isCertificateSignedBy, issueSelfSigned, OID, type SelfSignedInput } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import fc from 'fast-check';
import { pkiError, testdataPath } from './helpers.ts';

const signerOf = (name: string) => openKeyFileSigner({ keyPath: testdataPath(`keys/${name}.test-only.key`) });

const INPUT: SelfSignedInput = {
  subject: [
    { oid: OID.countryName, text: 'DE' },
    { oid: OID.organizationName, text: 'Löwe, Söhne' },
    { oid: OID.commonName, text: 'image signing' },
  ],
  serialNumber: 0xf00dn,
  validity: { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2056, 0, 1) },
  basicConstraints: { isCa: false, pathLength: undefined },
  keyUsage: ['digitalSignature'],
  extKeyUsage: [OID.codeSigning],
};

test('a self-signed certificate says what was asked for, and is signed by its key', async () => {
  for (const name of ['rsa', 'p256', 'p384', 'ed25519']) {
    const certificate = await issueSelfSigned(INPUT, await signerOf(name));
    assert.equal(certificate.version, 3);
    assert.equal(certificate.serialNumber, INPUT.serialNumber);
    assert.equal(certificate.subject.text, 'CN=image signing,O=Löwe\\, Söhne,C=DE');
    assert.deepEqual(certificate.issuer.bytes, certificate.subject.bytes);
    assert.deepEqual(certificate.validity, INPUT.validity);
    const { extensions } = certificate;
    assert.deepEqual(extensions.basicConstraints, INPUT.basicConstraints);
    assert.deepEqual([...(extensions.keyUsage ?? [])], INPUT.keyUsage);
    assert.deepEqual(extensions.extKeyUsage, INPUT.extKeyUsage);
    assert.equal(extensions.subjectKeyIdentifier?.length, 20);
    assert.deepEqual(extensions.authorityKeyIdentifier?.keyIdentifier, extensions.subjectKeyIdentifier);
    assert.ok(isCertificateSignedBy(certificate, importKey(certificate.publicKey.bytes)));
  }
});

test('the same input gives the same bytes', async () => {
  for (const name of ['rsa', 'ed25519']) {
    const signer = await signerOf(name);
    assert.deepEqual((await issueSelfSigned(INPUT, signer)).bytes, (await issueSelfSigned(INPUT, signer)).bytes);
  }
});

test('bounds of what can be issued', async () => {
  const signer = await signerOf('ed25519');
  const issue = (change: Partial<SelfSignedInput>) => issueSelfSigned({ ...INPUT, ...change }, signer);
  const validity = (notBeforeMs: number, notAfterMs: number) => ({ validity: { notBeforeMs, notAfterMs } });
  await issue({ serialNumber: 1n });
  await issue({ serialNumber: (1n << 159n) - 1n, ...validity(0, 0) });
  await issue({ basicConstraints: { isCa: true, pathLength: 255 }, keyUsage: [] });
  const refused: Partial<SelfSignedInput>[] = [
    { serialNumber: 0n },
    { serialNumber: -1n },
    { serialNumber: 1n << 159n },
    validity(1000, 0),
    validity(0.5, 1000),
    validity(0, Number.NaN),
    { subject: [] },
    { subject: [{ oid: OID.commonName, text: '' }] },
    { subject: [{ oid: OID.countryName, text: 'Ä' }] },
    { subject: [{ oid: 'CN', text: 'x' }] },
    { basicConstraints: { isCa: false, pathLength: 0 } },
    { basicConstraints: { isCa: true, pathLength: 256 } },
    { basicConstraints: { isCa: true, pathLength: 0.5 } },
  ];
  for (const [i, change] of refused.entries())
    await assert.rejects(issue(change), pkiError('argument_invalid'), String(i));
});

test('any input of the right form is read back', async () => {
  const signer = await signerOf('ed25519');
  const input = fc.record({
    text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    serialNumber: fc.bigInt({ min: 1n, max: (1n << 159n) - 1n }),
    start: fc.integer({ min: -1_000_000_000, max: 100_000_000_000 }),
    length: fc.integer({ min: 0, max: 100_000_000_000 }),
    pathLength: fc.option(fc.nat(255), { nil: undefined }),
    keyUsage: fc.subarray(['digitalSignature', 'keyCertSign', 'cRLSign', 'decipherOnly'] as const),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ text, serialNumber, start, length, pathLength, keyUsage }) => {
      const validity = { notBeforeMs: start * 1000, notAfterMs: (start + length) * 1000 };
      const subject = [{ oid: OID.commonName, text }];
      const basicConstraints = { isCa: true, pathLength };
      const certificate = await issueSelfSigned(
        { subject, serialNumber, validity, basicConstraints, keyUsage },
        signer,
      );
      assert.equal(certificate.subject.rdns[0]?.[0]?.text, text);
      assert.equal(certificate.serialNumber, serialNumber);
      assert.deepEqual(certificate.validity, validity);
      assert.deepEqual(certificate.extensions.basicConstraints, basicConstraints);
      assert.deepEqual([...(certificate.extensions.keyUsage ?? [])], keyUsage);
    }),
    { numRuns: 50 },
  );
});
