// SPDX-License-Identifier: Apache-2.0
// Certificates of TPMs and of machines, in the forms that are found: PEM, DER, NV.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { describeArtefact, recogniseArtefact } from '@vouchsafe/image';
import { formatPem, parsePem } from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { codeOf } from './support.ts';

const SOME = { allDigests: false };
const pem = readFileSync(fileURLToPath(new URL('../../pki/testdata/certificates/rsa.pem', import.meta.url)));
const der = parsePem(pem)[0]?.bytes as Uint8Array;
const subjectsOf = (bytes: Uint8Array): readonly string[] => {
  const d = describeArtefact(memorySource(bytes), SOME);
  assert.ok(d.kind === 'certificates', d.kind);
  return d.certificates.map(({ subject }) => subject);
};

test('a certificate is the same in PEM, in DER, and as a TPM keeps it: behind a header, before padding', () => {
  const expected = subjectsOf(pem);
  assert.equal(expected.length, 1);
  // TCG_TAG_PCCLIENT_STORED_CERT, a full certificate, its size, TCG_TAG_PCCLIENT_FULL_CERT.
  const header = Uint8Array.of(0x10, 0x01, 0x00, (der.length + 2) >> 8, (der.length + 2) & 0xff, 0x10, 0x02);
  const forms = [der, concatBytes(header, der), concatBytes(der, new Uint8Array(100).fill(0xff))];
  forms.push(concatBytes(der, new Uint8Array(100).fill(0x11)), concatBytes(header, der, new Uint8Array(50)));
  for (const form of forms) assert.deepEqual(subjectsOf(form), expected);
});

test('cut anywhere, it is an error with a code, or something else', () => {
  for (let size = 0; size < der.length; size++) {
    const source = memorySource(der.subarray(0, size));
    if (recogniseArtefact(source) === 'certificates') {
      assert.match(codeOf(() => describeArtefact(source, SOME)) ?? '', /^[a-z0-9_]+$/);
    }
  }
});

const PLATFORMS = 'attestation/google__go-attestation/attributecert/testdata';

test('a platform certificate says what the machine is made of', needsVectors(PLATFORMS), () => {
  const bytes = new Uint8Array(readFileSync(vectorPath(PLATFORMS, 'plat_cert1.cer')));
  // Some makers have the label of the other kind.
  const forms = [
    bytes,
    ...['ATTRIBUTE CERTIFICATE', 'CERTIFICATE'].map((label) => Buffer.from(formatPem(label, bytes))),
  ];
  for (const form of forms) {
    const d = describeArtefact(memorySource(form), SOME);
    assert.ok(d.kind === 'platform-certificate', d.kind);
    const { type, manufacturer, model, components } = d.certificate;
    assert.deepEqual([type, manufacturer, model], ['base', 'Intel', 'S2600KP']);
    assert.ok(components.length > 0);
  }
});

test(
  "the TPM is told of an endorsement key's certificate",
  needsVectors('attestation/EXPECTED/derived/ekcerts'),
  () => {
    const path = vectorPath(
      'attestation/EXPECTED/derived/ekcerts',
      'keylime__test_cert_utils__st_ecdsa_sha256_der.der',
    );
    const d = describeArtefact(memorySource(new Uint8Array(readFileSync(path))), SOME);
    assert.ok(d.kind === 'certificates');
    assert.equal(d.certificates[0]?.tpm?.manufacturer?.vendorId, 'STM');
  },
);
