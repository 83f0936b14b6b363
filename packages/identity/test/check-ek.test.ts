// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildTrustStore, checkEndorsementKey, type EndorsementKeyOptions, type TrustStore } from '@vouchsafe/identity';
import { type Certificate, decodeCertificates, encodeNull, issueCertificate, OID, VENDOR_DER } from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { below, END, NOW, newSigner, root } from '@vouchsafe/testing/authorities';
import { type Ek, ekArea, ekBy } from './parties.ts';

function check(ek: Ek, store: TrustStore, change: Partial<EndorsementKeyOptions> & { chain?: Certificate[] } = {}) {
  const { chain = [], ...options } = change;
  return checkEndorsementKey({ ...ek, chain }, { store, nowMs: NOW, ...options });
}

/** Codes of the errors; a key comes out exactly when there are none. */
function errors(...given: Parameters<typeof check>): string[] {
  const { endorsementKey, findings } = check(...given);
  const found = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  assert.equal(endorsementKey === undefined, found.length > 0);
  for (const { hint } of findings) assert.ok(hint.length > 20, 'a hint that says what to do');
  return found;
}

test('a genuine endorsement key is known by its maker, its chain from the store or from the machine', async () => {
  const maker = await root('maker');
  const factory = await below(maker, 'factory');
  const ek = await ekBy(factory);
  const whole = buildTrustStore([maker.certificate, factory.certificate]);
  const { endorsementKey, findings } = check(ek, whole);
  assert.deepEqual(findings, []);
  assert.equal(endorsementKey?.path.certificates.length, 3);
  assert.equal(endorsementKey.tpm.manufacturer?.vendorId, 'STM');
  assert.equal(endorsementKey.tpm.manufacturer.name, 'STMicroelectronics');
  assert.equal(endorsementKey.tpm.model, 'ST33');
  assert.equal(endorsementKey.fingerprint.length, 32);
  const rootOnly = buildTrustStore([maker.certificate]);
  assert.deepEqual(errors(ek, rootOnly, { chain: [factory.certificate] }), []);
  const missing = check(ek, rootOnly);
  assert.equal(missing.findings[0]?.code, 'ek_issuer_missing');
  assert.match(missing.findings[0].hint, /CN=factory/);
});

test('A33: what a machine brings along is not trusted', async () => {
  const forger = await root('forger');
  const ek = await ekBy(forger);
  assert.deepEqual(errors(ek, buildTrustStore([]), { chain: [forger.certificate] }), ['ek_issuer_missing']);
  // Nor when it bears the name of somebody who is.
  const maker = await root('forger');
  const store = buildTrustStore([maker.certificate]);
  assert.deepEqual(errors(ek, store, { chain: [forger.certificate] }), ['ek_signature_invalid']);
});

test('A33: a genuine certificate of another key vouches for nothing', async () => {
  const maker = await root('maker');
  const store = buildTrustStore([maker.certificate]);
  const { certificate } = await ekBy(maker);
  assert.deepEqual(errors({ certificate, publicArea: ekArea(newSigner().spki) }, store), ['ek_key_differs']);
});

test('A33: authorities, signing keys and certificates for something else are no endorsement keys', async () => {
  const maker = await root('maker');
  const store = buildTrustStore([maker.certificate]);
  const authority = { basicConstraints: { isCa: true, pathLength: undefined } };
  assert.deepEqual(errors(await ekBy(maker, authority), store), ['ek_is_authority']);
  assert.deepEqual(errors(await ekBy(maker, { keyUsage: ['keyCertSign', 'keyAgreement'] }), store), [
    'ek_is_authority',
  ]);
  assert.deepEqual(errors(await ekBy(maker, { keyUsage: ['digitalSignature'] }), store), ['ek_key_usage']);
  assert.deepEqual(errors(await ekBy(maker, { extKeyUsage: [] }), store), ['ek_purpose_missing']);
  assert.deepEqual(errors(await ekBy(maker, { extKeyUsage: [OID.clientAuth] }), store), ['ek_purpose_missing']);
  const unknown = { extensions: [{ oid: '1.2.3.4', critical: true, value: encodeNull() }] };
  assert.deepEqual(errors(await ekBy(maker, unknown), store), ['ek_extension_unknown']);
  // The leaf issues for another key: an EK certificate as an intermediate.
  const leaf = await below(maker, 'leaf', { basicConstraints: { isCa: false, pathLength: undefined }, keyUsage: [] });
  assert.deepEqual(errors(await ekBy(leaf), store, { chain: [leaf.certificate] }), ['ek_not_an_authority']);
});

test('A33: an expired certificate is refused, or accepted with a remark when the operator says so', async () => {
  const maker = await root('maker');
  const store = buildTrustStore([maker.certificate]);
  const ek = await ekBy(maker);
  const later = { nowMs: END + 1 };
  assert.deepEqual(errors(ek, store, later), ['ek_expired', 'ek_expired']);
  const { endorsementKey, findings } = check(ek, store, { ...later, acceptExpired: true });
  assert.ok(endorsementKey);
  assert.deepEqual(
    findings.map(({ code, severity }) => `${code} ${severity}`),
    ['ek_expired warning', 'ek_expired warning'],
  );
  assert.deepEqual(errors(ek, store, { nowMs: 0, acceptExpired: true }), ['ek_not_yet_valid', 'ek_not_yet_valid']);
});

test('a certificate that does not describe its TPM is remarked', async () => {
  const maker = await root('maker');
  const subjectAltName = [{ kind: 'dns', text: 'tpm.example' }] as const;
  const { endorsementKey, findings } = check(
    await ekBy(maker, { subjectAltName }),
    buildTrustStore([maker.certificate]),
  );
  assert.ok(endorsementKey);
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['ek_undescribed', 'warning']],
  );
});

test('a store takes for roots only what signed itself', async () => {
  const maker = await root('maker');
  const other = await root('maker');
  // Issuer and subject are the same name, but another key signed.
  const crossed = await issueCertificate(
    {
      subject: [{ oid: OID.commonName, text: 'maker' }],
      serialNumber: 99n,
      validity: maker.certificate.validity,
      basicConstraints: { isCa: true, pathLength: undefined },
      keyUsage: ['keyCertSign'],
    },
    other.signer.spki,
    maker,
  );
  const store = buildTrustStore([maker.certificate, crossed, maker.certificate]);
  assert.deepEqual(store.anchors, [maker.certificate]);
  assert.deepEqual(store.intermediates, [crossed]);
  const pinned = buildTrustStore([maker.certificate], [crossed]);
  assert.equal(pinned.anchors.length, 2);
  assert.throws(() => buildTrustStore(Array.from({ length: 10_001 }, () => crossed)), RangeError);
});

test('certificates that swtpm_setup made are known by its authority', needsVectors('boot/certs'), () => {
  const read = (name: string): Certificate => {
    const [certificate] = decodeCertificates(readFileSync(vectorPath('boot/certs', name)), VENDOR_DER);
    assert.ok(certificate);
    return certificate;
  };
  const chain = [read('issuercert.pem')];
  const store = buildTrustStore([read('swtpm-localca-rootca-cert.pem')]);
  for (const name of ['ek-rsa2048.crt', 'nv-0x1c00002.der', 'ek-secp384r1.crt', 'nv-0x1c00016.der']) {
    const certificate = read(name);
    const publicArea = ekArea(certificate.publicKey.bytes);
    const { endorsementKey, findings } = check({ certificate, publicArea }, store, { chain });
    assert.deepEqual(findings, [], name);
    assert.equal(endorsementKey?.tpm.model, 'swtpm');
    assert.equal(endorsementKey.tpm.manufacturer?.id, 0x1014);
    assert.deepEqual(endorsementKey.tpm.specification?.family, '2.0');
  }
  // swtpm's platform certificate is a plain certificate of the EK; it is not for an endorsement key.
  const platform = read('nv-0x1c08000.der');
  const publicArea = ekArea(platform.publicKey.bytes);
  assert.ok(check({ certificate: platform, publicArea }, store, { chain }).endorsementKey === undefined);
});
