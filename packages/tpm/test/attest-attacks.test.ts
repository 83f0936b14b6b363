// SPDX-License-Identifier: Apache-2.0
// Attacks on attestations other than quotes: forged by a key that really signs, or moved from elsewhere.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import {
  type AttestEvidence,
  attestationKeyTemplate,
  compareClocks,
  nameOf,
  nvAttributes,
  nvNameOf,
  nvPublicArea,
  type PublicArea,
  qualifiedNameOf,
  signingKeyFromSpki,
  srkTemplate,
  type TpmsAttest,
  type TpmsClockInfo,
  tpmDigest,
  tpmsAttest,
  tpmsCreationData,
  tpmtSignature,
  verifyAttest,
  verifyCertify,
  verifyCertifyCreation,
  verifyNvCertify,
} from '@vouchsafe/tpm';
import { codeOf } from './support.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = signingKeyFromSpki(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
const nonce = ascii('a challenge');
const EMPTY = new Uint8Array();
const object: PublicArea = srkTemplate('ecc');
const other: PublicArea = attestationKeyTemplate('ecdsa-p256');
const parent = Uint8Array.of(0x40, 0, 0, 1);
const qualifiedSigner = qualifiedNameOf(other, parent);
const clockInfo: TpmsClockInfo = { clock: 1000n, resetCount: 5, restartCount: 2, safe: true };
const index = nvPublicArea({
  nvIndex: 0x0180_0000,
  nameAlg: 'sha256',
  attributes: nvAttributes('ordinary', 'ownerRead', 'written'),
  authPolicy: EMPTY,
  dataSize: 4,
});
const creationData = encode(tpmsCreationData, {
  pcrSelect: [],
  pcrDigest: EMPTY,
  locality: 1,
  parentNameAlg: 'null',
  parentName: parent,
  parentQualifiedName: parent,
  outsideInfo: ascii('mine'),
});

const head = { magic: 0xff544347, qualifiedSigner, extraData: nonce, clockInfo, firmwareVersion: 1n } as const;
const certify: TpmsAttest = {
  ...head,
  type: 'certify',
  attested: { name: nameOf(object), qualifiedName: qualifiedNameOf(object, parent) },
};
const creation: TpmsAttest = {
  ...head,
  type: 'creation',
  attested: { objectName: nameOf(object), creationHash: tpmDigest('sha256', creationData) },
};
const nv: TpmsAttest = {
  ...head,
  type: 'nv',
  attested: { indexName: nvNameOf(index), offset: 0, nvContents: ascii('data') },
};
const time: TpmsAttest = { ...head, type: 'time', attested: { time: { time: 1n, clockInfo }, firmwareVersion: 1n } };
const quote: TpmsAttest = { ...head, type: 'quote', attested: { pcrSelect: [], pcrDigest: EMPTY } };

function evidenceOf(attest: TpmsAttest | Uint8Array): AttestEvidence {
  const bytes = attest instanceof Uint8Array ? attest : encode(tpmsAttest, attest);
  const raw = sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const [signatureR, signatureS] = [Uint8Array.from(raw.subarray(0, 32)), Uint8Array.from(raw.subarray(32))];
  const signature = { sigAlg: 'ecdsa', signature: { hash: 'sha256', signatureR, signatureS } } as const;
  return { attest: bytes, signature: encode(tpmtSignature, signature) };
}

const expected = { key, nonce, qualifiedSigner };
const CHECKS: readonly (readonly [TpmsAttest, (evidence: AttestEvidence, more?: object) => unknown])[] = [
  [certify, (evidence, more) => verifyCertify(evidence, { ...expected, object, ...more })],
  [creation, (evidence, more) => verifyCertifyCreation(evidence, { ...expected, object, ...more }, creationData)],
  [nv, (evidence, more) => verifyNvCertify(evidence, { ...expected, index, ...more })],
  [time, (evidence, more) => verifyAttest(evidence, 'time', { ...expected, ...more })],
];

test('the attestations that the attacks start from are good', () => {
  for (const [attest, check] of CHECKS) check(evidenceOf(attest));
});

test('A3: a signed structure without the TPM magic is refused, of every type', () => {
  for (const [attest, check] of CHECKS) {
    const bytes = encode(tpmsAttest, attest).with(0, 0);
    for (const forged of [bytes, bytes.subarray(0, 3), EMPTY]) {
      assert.equal(
        codeOf(() => check(evidenceOf(forged))),
        'attest_magic',
      );
    }
  }
});

test('A4: an attestation of another type is refused, each for each', () => {
  const all: readonly TpmsAttest[] = [certify, creation, nv, time, quote];
  for (const [attest, check] of CHECKS) {
    for (const wrong of all) {
      if (wrong.type === attest.type) continue;
      assert.equal(
        codeOf(() => check(evidenceOf(wrong))),
        'attest_type',
      );
    }
    const bytes = encode(tpmsAttest, attest);
    assert.equal(
      codeOf(() => check(evidenceOf(bytes.subarray(0, 5)))),
      'attest_type',
    );
  }
});

test('A1: an attestation for another challenge is refused', () => {
  for (const [attest, check] of CHECKS) {
    for (const extraData of [EMPTY, ascii('a challeng'), concatBytes(nonce, nonce)]) {
      assert.equal(
        codeOf(() => check(evidenceOf({ ...attest, extraData }))),
        'attest_nonce',
      );
    }
  }
});

test('the same key octets at another place among the keys: another qualified name', () => {
  for (const [attest, check] of CHECKS) {
    const elsewhere = qualifiedNameOf(other, Uint8Array.of(0x40, 0, 0, 7));
    const moved = evidenceOf({ ...attest, qualifiedSigner: elsewhere });
    assert.equal(
      codeOf(() => check(moved)),
      'attest_signer',
    );
    check(moved, { qualifiedSigner: undefined });
  }
});

test('an attestation about another object, or another place of it, is refused', () => {
  const [first, second, third] = [certify, creation, nv].map(evidenceOf) as [
    AttestEvidence,
    AttestEvidence,
    AttestEvidence,
  ];
  assert.equal(
    codeOf(() => verifyCertify(first, { ...expected, object: other })),
    'attest_name',
  );
  const elsewhere = qualifiedNameOf(object, Uint8Array.of(0x40, 0, 0, 7));
  assert.equal(
    codeOf(() => verifyCertify(first, { ...expected, object, qualifiedName: elsewhere })),
    'attest_name',
  );
  assert.equal(
    codeOf(() => verifyCertifyCreation(second, { ...expected, object: other }, creationData)),
    'attest_name',
  );
  const { value } = index;
  const unwritten = nvPublicArea({ ...value, attributes: { ...value.attributes, written: false } });
  assert.equal(
    codeOf(() => verifyNvCertify(third, { ...expected, index: unwritten })),
    'attest_name',
  );
});

test('creation data that were not attested are refused, every octet of them', () => {
  const evidence = evidenceOf(creation);
  for (let at = 0; at < creationData.length; at++) {
    const forged = creationData.with(at, (creationData[at] as number) ^ 1);
    assert.equal(
      codeOf(() => verifyCertifyCreation(evidence, { ...expected, object }, forged)),
      'attest_creation',
    );
  }
});

test('every changed octet of an attestation breaks its signature; a hash that is not allowed is refused', () => {
  for (const [attest, check] of CHECKS) {
    const evidence = evidenceOf(attest);
    for (let at = 0; at < evidence.attest.length; at++) {
      const forged = { ...evidence, attest: evidence.attest.with(at, (evidence.attest[at] as number) ^ 0x80) };
      assert.equal(
        codeOf(() => check(forged)),
        'signature_invalid',
      );
    }
    assert.equal(
      codeOf(() => check(evidence, { signatureHashes: ['sha384'] })),
      'signature_scheme',
    );
  }
});

test('a signature of no scheme that is checked here is none', () => {
  const nobody = encode(tpmtSignature, { sigAlg: 'null', signature: {} });
  for (const [attest, check] of CHECKS) {
    assert.equal(
      codeOf(() => check({ ...evidenceOf(attest), signature: nobody })),
      'signature_scheme',
    );
  }
});

const codes = (now: Partial<TpmsClockInfo>): string[] =>
  compareClocks(clockInfo, { ...clockInfo, clock: 2000n, ...now }).findings.map(({ code }) => code);
const since = (now: Partial<TpmsClockInfo>): string => {
  const change = compareClocks(clockInfo, { ...clockInfo, clock: 2000n, ...now });
  return `${change.since}${change.needsAppraisal ? ', appraise' : ''}`;
};

test('A35: clocks that were wound back', () => {
  assert.deepEqual(codes({ resetCount: 4 }), ['clock_reset_decreased']);
  assert.deepEqual(codes({ restartCount: 1 }), ['clock_restart_decreased']);
  assert.deepEqual(codes({ clock: 1000n }), ['clock_not_increased']);
  assert.deepEqual(codes({ clock: 999n }), ['clock_not_increased']);
  assert.deepEqual(codes({ restartCount: 3, clock: 999n }), ['clock_not_increased']);
  // After an unorderly start the clock may repeat, and says so: accepted, and appraised in full.
  assert.deepEqual(codes({ clock: 999n, safe: false }), []);
  assert.equal(since({ clock: 999n, safe: false }), 'unsafe, appraise');
  assert.equal(since({}), 'same');
});

test('A36: a resume is not the machine that ran on', () => {
  assert.equal(since({ restartCount: 3 }), 'resumed, appraise');
  assert.equal(since({ restartCount: 3, clock: 999n, safe: false }), 'unsafe, appraise');
});

test('A37: a reboot between two checks, though the clock went on', () => {
  assert.equal(since({ resetCount: 6, restartCount: 0 }), 'reset, appraise');
  assert.deepEqual(codes({ resetCount: 6, restartCount: 0, clock: 1n }), []);
});

test('A35: counters with a constant added pass zero while they grow', () => {
  const before = { ...clockInfo, resetCount: 0xffff_ffff, restartCount: 0xffff_fffe };
  const later = { ...before, clock: 2000n };
  assert.equal(compareClocks(before, { ...later, resetCount: 0 }).since, 'reset');
  assert.deepEqual(compareClocks(before, { ...later, resetCount: 0 }).findings, []);
  assert.equal(compareClocks(before, { ...later, restartCount: 1 }).since, 'resumed');
  const [finding] = compareClocks({ ...before, resetCount: 1 }, { ...later, resetCount: 0xffff_fff0 }).findings;
  assert.equal(finding?.code, 'clock_reset_decreased');
});
