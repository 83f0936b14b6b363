// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tpmOf } from '@vouchsafe/identity';
import { decodeCertificate, formatCertificate, OID } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { certificateOfHeader, certificateOfXfcc } from '../../src/domain/access/client-certificate-header.ts';
import { issueAttestationCertificate, issueClientCertificate } from '../../src/domain/certificates/issue.ts';
import { settleGrants } from '../../src/domain/grant-settings.ts';
import { newAuthority, newSigner } from '../support/signer.ts';

const NOW = Date.now();
const HOUR = 3_600_000;
const CRL = 'https://vouchsafe.example/v1/crl';

const client = async (authority: Awaited<ReturnType<typeof newAuthority>>, lifetimeMs = HOUR) =>
  issueClientCertificate(
    {
      deviceId: 'edge-7',
      trustDomain: 'example.org',
      key: { use: 'client', spki: newSigner().spki },
      nowMs: NOW,
      lifetimeMs,
      crlUrl: CRL,
    },
    authority,
  );

test(
  'a client certificate is what openssl takes for one, and names device and SPIFFE ID',
  needsTool('openssl'),
  async (t) => {
    const authority = await newAuthority('clients');
    const [one, two] = [await client(authority), await client(authority)];
    assert.notEqual(one.serialNumber, two.serialNumber);
    assert.ok(one.serialNumber < 1n << 127n);
    assert.ok(one.validity.notAfterMs <= NOW + HOUR && one.validity.notBeforeMs < NOW);
    const dir = tempDir(t);
    const write = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
    const path = write('one.pem', formatCertificate(one));
    const ca = write('ca.pem', formatCertificate(authority.certificate));
    assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', ca, path), /: OK/);
    assert.throws(() => openssl('verify', '-purpose', 'sslserver', '-CAfile', ca, path));
    const text = openssl('x509', '-in', path, '-noout', '-text');
    assert.match(text, /DNS:edge-7, URI:spiffe:\/\/example.org\/device\/edge-7\n/);
    assert.match(text, /CRL Distribution Points: \s+Full Name:\s+URI:https:\/\/vouchsafe.example\/v1\/crl/);
    assert.match(text, /Key Usage: critical\s+Digital Signature\n/);
  },
);

test('no certificate outlives its authority', async () => {
  const authority = await newAuthority('clients');
  const certificate = await client(authority, 10 * 365 * 24 * HOUR);
  assert.equal(certificate.validity.notAfterMs, authority.certificate.validity.notAfterMs);
});

test('a certificate of an attestation key is as WebAuthn, 8.3.1, wants it', needsTool('openssl'), async (t) => {
  const authority = await newAuthority('attestation');
  const tpm = { manufacturer: 'id:53544D20', model: 'ST33', version: 'id:00010102' };
  const input = { deviceId: 'edge-7', spki: newSigner().spki, tpm, nowMs: NOW, lifetimeMs: HOUR, crlUrl: undefined };
  const certificate = await issueAttestationCertificate(input, authority);
  assert.equal(certificate.version, 3);
  assert.equal(certificate.subject.text, '');
  assert.deepEqual(certificate.extensions.extKeyUsage, [OID.tcgAttestationKey]);
  assert.equal(certificate.extensions.basicConstraints?.isCa, false);
  const names = certificate.extensions.all.find(({ oid }) => oid === OID.subjectAltName);
  assert.equal(names?.critical, true);
  const described = tpmOf(certificate);
  assert.equal(described.manufacturer?.id, 0x53544d20);
  assert.equal(described.model, 'ST33');
  assert.equal(described.version, 'id:00010102');
  const path = join(tempDir(t), 'ak.pem');
  writeFileSync(path, formatCertificate(certificate));
  const text = execFileSync('openssl', ['x509', '-in', path, '-noout', '-text'], { encoding: 'utf8' });
  assert.match(text, /2\.23\.133\.8\.3|Attestation Identity Key Certificate/);
  // A TPM that is not described gets one all the same.
  const bare = await issueAttestationCertificate({ ...input, tpm: {} }, authority);
  assert.equal(tpmOf(bare).model, undefined);
});

test('a certificate in a header is read in the forms of nginx, Caddy and Envoy, and nothing else is', async () => {
  const authority = await newAuthority('clients');
  const certificate = await client(authority);
  const pem = encodeURIComponent(formatCertificate(certificate));
  const chain = pem + encodeURIComponent(formatCertificate(authority.certificate));
  const der = Buffer.from(certificate.bytes).toString('base64');
  assert.deepEqual(certificateOfHeader(pem)?.bytes, certificate.bytes);
  assert.deepEqual(certificateOfHeader(der)?.bytes, certificate.bytes);
  assert.deepEqual(certificateOfHeader(chain)?.bytes, certificate.bytes);
  // Two headers of the name: one may be the caller's own, whatever stands first.
  for (const two of [`${pem}, ${pem}`, `${pem}, ${chain}`, `${der}, ${der}`]) {
    assert.equal(certificateOfHeader(two), undefined);
  }
  for (const bad of [undefined, '', 'x', '%', '%zz', `${pem}${pem}`, der.slice(4), [pem, pem], `${pem}`.repeat(20)]) {
    assert.equal(certificateOfHeader(bad), undefined);
  }
  const element = `By=spiffe://x/y;Hash=00ff;Cert="${pem}";Subject="CN=a;b, \\"c\\"";URI=spiffe://example.org/device/edge-7`;
  assert.deepEqual(certificateOfXfcc(element)?.bytes, certificate.bytes);
  assert.deepEqual(certificateOfXfcc(`Hash=00;Chain="${chain}"`)?.bytes, certificate.bytes);
  assert.deepEqual(certificateOfXfcc(`Cert="${pem}";Chain="${chain}"`)?.bytes, certificate.bytes);
  const another = encodeURIComponent(formatCertificate(await client(authority)));
  for (const bad of [
    `Cert="${another}";Chain="${chain}"`,
    `Chain="${chain}";Chain="${chain}"`,
    `Chain="${pem}${another}"`,
    `Cert="${pem}";Chain=""`,
    `${element},${element}`,
    `Cert="${pem}",Cert="${pem}"`,
    `Cert="${pem}";Cert="${pem}"`,
    `Hash=00`,
    `Subject="Cert=\\"${pem}\\""`,
    pem,
    '',
  ]) {
    assert.equal(certificateOfXfcc(bad), undefined, bad.slice(0, 40));
  }
  assert.equal(decodeCertificate(certificate.bytes).serialNumber, certificate.serialNumber);
});

test('a trust domain is one that SPIFFE has', () => {
  assert.equal(settleGrants({ trustDomain: 'prod.example.org' }).trustDomain, 'prod.example.org');
  for (const trustDomain of ['', 'Example.org', 'a/b', 'a b', 'spiffe://a']) {
    assert.throws(() => settleGrants({ trustDomain }), { code: 'configuration_invalid' });
  }
});
