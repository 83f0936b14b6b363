// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type Certificate,
  decodeCertificates,
  encodeNull,
  formatCertificate,
  OID,
  VENDOR_DER,
  validatePath,
} from '@vouchsafe/pki';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { below, END, leafOf, NOW, root } from '@vouchsafe/testing/authorities';

test('openssl verify agrees on what holds and what does not', needsTool('openssl'), async (t) => {
  const folder = tempDir(t);
  const anchor = await root('anchor', { basicConstraints: { isCa: true, pathLength: 1 } });
  const first = await below(anchor, 'first');
  const second = await below(first, 'second');
  const noAuthority = await below(anchor, 'none', { basicConstraints: { isCa: false, pathLength: undefined } });
  const noSigner = await below(anchor, 'signs', { keyUsage: ['digitalSignature'] });
  const unknown = { extensions: [{ oid: '1.2.3.4', critical: true, value: encodeNull() }] };
  const cases: readonly (readonly [string, Certificate, boolean, number?])[] = [
    ['anchor', await leafOf(anchor, 'leaf'), true],
    ['first', await leafOf(first, 'leaf'), true],
    ['too long', await leafOf(second, 'leaf'), false],
    ['no authority', await leafOf(noAuthority, 'leaf'), false],
    ['no signing', await leafOf(noSigner, 'leaf'), false],
    ['unknown critical', await leafOf(anchor, 'leaf', unknown), false],
    ['expired', await leafOf(anchor, 'leaf'), false, END + 1000],
    ['lookalike', await leafOf(await root('anchor'), 'leaf'), false],
    ['stranger', await leafOf(await root('stranger'), 'leaf'), false],
  ];
  const intermediates = [first, second, noAuthority, noSigner].map(({ certificate }) => certificate);
  const write = (name: string, ...certificates: Certificate[]): string => {
    writeFileSync(join(folder, name), certificates.map(formatCertificate).join(''));
    return join(folder, name);
  };
  const trusted = write('anchor.pem', anchor.certificate);
  const untrusted = write('intermediates.pem', ...intermediates);
  for (const [name, leaf, expected, atMs = NOW] of cases) {
    const ours = validatePath(leaf, { anchors: [anchor.certificate], intermediates, atMs });
    const args = [
      '-no-CApath',
      '-no-CAstore',
      '-CAfile',
      trusted,
      '-untrusted',
      untrusted,
      '-attime',
      `${atMs / 1000}`,
    ];
    const theirs = spawnSync('openssl', ['verify', ...args, write('leaf.pem', leaf)], { encoding: 'utf8' });
    assert.equal(theirs.status === 0, expected, `openssl, ${name}: ${theirs.stdout}${theirs.stderr}`);
    assert.equal(ours.ok, expected, `ours, ${name}`);
  }
});

const STORE = 'attestation/loicsikidi__tpm-ca-certificates';

test('every authority of a collection of TPM makers has its path to a root', needsVectors(STORE), () => {
  const read = (name: string) => decodeCertificates(readFileSync(vectorPath(STORE, name)), VENDOR_DER);
  const anchors = read('MIRROR.tpm-ca-certificates.pem');
  const intermediates = read('MIRROR.tpm-intermediate-ca-certificates.pem');
  assert.ok(anchors.length >= 20 && intermediates.length >= 100);
  const atMs = Date.UTC(2026, 10, 22);
  const withoutPath = new Map<string, number>();
  for (const certificate of intermediates) {
    const result = validatePath(certificate, { anchors, intermediates, atMs });
    if (result.ok) continue;
    for (const { code } of result.problems) withoutPath.set(code, (withoutPath.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...withoutPath], []);
});

test('certificates that TPM makers burnt in have their path', needsVectors(STORE), () => {
  const read = (name: string) => decodeCertificates(readFileSync(vectorPath(STORE, name)), VENDOR_DER);
  const options = {
    anchors: read('MIRROR.tpm-ca-certificates.pem'),
    intermediates: read('MIRROR.tpm-intermediate-ca-certificates.pem'),
    atMs: Date.UTC(2026, 10, 22),
    purpose: OID.tcgEndorsementKey,
    knownCritical: [OID.subjectDirectoryAttributes],
  };
  const check = (name: string) => {
    const path = vectorPath('attestation/derived/ekcerts', `keylime__test_${name}.der`);
    const [certificate] = decodeCertificates(readFileSync(path), VENDOR_DER);
    assert.ok(certificate);
    return validatePath(certificate, options);
  };
  for (const name of ['cert_utils__st_ecdsa_sha256_der', 'cert_utils__st_sha256_with_rsa_der']) {
    const result = check(name);
    assert.ok(result.ok, name);
    assert.ok(result.path.certificates.length >= 3);
  }
  for (const name of ['cert_utils__idevid_der', 'certificate_modeltype__pem0']) {
    const result = check(name);
    assert.ok(!result.ok);
    assert.equal(result.problems[0]?.code, 'issuer_missing', name);
  }
});
