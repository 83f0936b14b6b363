// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import {
  decodePublic,
  isTpmHash,
  nameOf,
  type PcrValue,
  policyAuthorize,
  policyPcr,
  publicArea,
  publicAreaFromSpki,
  spkiOf,
  startPolicy,
  tpmDigest,
} from '@vouchsafe/tpm';
import { codeOf, spkiOfPem, testdata } from './support.ts';

/** A PCR of zeros after one extend with 32 times that octet, as make.sh does. */
function extendedOnce(pcr: number, octet: number): PcrValue {
  const value = tpmDigest('sha256', concatBytes(new Uint8Array(32), new Uint8Array(32).fill(octet)));
  return { bank: 'sha256', pcr, value };
}

test('swtpm: TPM2_PolicyPCR over two PCRs', () => {
  const pcrs = [extendedOnce(7, 0x11), extendedOnce(11, 0x22)];
  const policy = policyPcr(startPolicy('sha256'), [{ bank: 'sha256', pcrs: [7, 11] }], pcrs);
  assert.deepEqual(policy.digest, testdata('policy/pcr.policy'));
});

test('swtpm: TPM2_PolicyAuthorize with a reference, and whatever was before is forgotten', () => {
  const name = testdata('policy/signer.name');
  const expected = testdata('policy/authorize.policy');
  const fresh = policyAuthorize(startPolicy('sha256'), name, testdata('policy/ref.bin'));
  assert.deepEqual(fresh.digest, expected);
  const pcrs = [extendedOnce(7, 0x11)];
  const before = policyPcr(startPolicy('sha256'), [{ bank: 'sha256', pcrs: [7] }], pcrs);
  assert.deepEqual(policyAuthorize(before, name, testdata('policy/ref.bin')).digest, expected);
});

test('swtpm: the name of a PEM key is that of TPM2_LoadExternal, its public area the same octets', () => {
  const spki = spkiOfPem(testdata('policy/signer.pem'));
  const loaded = decodePublic(testdata('policy/signer.pub'));
  const { objectAttributes, nameAlg } = loaded.value;
  assert.ok(nameAlg !== 'null');
  const area = publicArea(publicAreaFromSpki(spki, { nameAlg, objectAttributes, rsaDefaultExponent: 'number' }));
  assert.deepEqual(area.bytes, loaded.bytes);
  assert.deepEqual(nameOf(area), testdata('policy/signer.name'));
  assert.deepEqual(spkiOf(area.value), spki);
});

test('an EC key becomes a public area and comes back', () => {
  const spki = spkiOfPem(testdata('quote/ecc-ecdsa.pem'));
  const { value } = decodePublic(testdata('quote/ecc-ecdsa.pub'));
  const area = publicAreaFromSpki(spki, { nameAlg: 'sha256', objectAttributes: value.objectAttributes });
  assert.deepEqual(area.unique, value.unique);
  assert.deepEqual(spkiOf(area), spki);
  assert.equal(
    codeOf(() => publicAreaFromSpki(spki.subarray(1), { nameAlg: 'sha256', objectAttributes: value.objectAttributes })),
    'key_unsupported',
  );
});

test('tss2-fapi: PolicyPCR of PCR 16 at zeros', needsVectors('attestation', 'tpm2-software__tpm2-tss'), () => {
  const folder = ['attestation', 'tpm2-software__tpm2-tss', 'test', 'data', 'fapi', 'policy'];
  const text = readFileSync(vectorPath(...folder, 'pol_pcr16_0_rsa_authorized.json'), 'utf8');
  const [, digest] = /"digest":"([0-9a-f]{64})"/.exec(text) ?? [];
  const value = { bank: 'sha256', pcr: 16, value: new Uint8Array(32) } as const;
  const policy = policyPcr(startPolicy('sha256'), [{ bank: 'sha256', pcrs: [16] }], [value]);
  assert.equal(toHex(policy.digest), digest);
});

test(
  'systemd-measure: the policies it signs are those of the PCR 11 values it predicts, in all banks',
  needsVectors('image', 'uki'),
  () => {
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(vectorPath('image', 'uki', 'measure', name), 'utf8'));
    const predicted = read('calc-basic.257.json') as Record<string, { pcr: number; hash: string }[]>;
    const signed = read('sign-all-banks.257.json') as Record<string, { pcrs: number[]; pol: string }[]>;
    let compared = 0;
    for (const [bank, entries] of Object.entries(signed)) {
      assert.ok(isTpmHash(bank));
      const policies = (predicted[bank] ?? []).map(({ pcr, hash }) => {
        const value = { bank, pcr, value: parseHex(hash) };
        // SHA-256 whatever the bank.
        return toHex(policyPcr(startPolicy('sha256'), [{ bank, pcrs: [pcr] }], [value]).digest);
      });
      assert.deepEqual(
        entries.map(({ pol }) => pol),
        policies,
      );
      compared += policies.length;
    }
    assert.equal(compared, 16);
  },
);

test('a policy over nothing, and one by nobody, are refused', () => {
  assert.equal(
    codeOf(() => policyPcr(startPolicy('sha256'), [], [])),
    'argument_invalid',
  );
  assert.equal(
    codeOf(() => policyAuthorize(startPolicy('sha256'), new Uint8Array(), new Uint8Array())),
    'argument_invalid',
  );
  const missing = [{ bank: 'sha256', pcrs: [7] }] as const;
  assert.equal(
    codeOf(() => policyPcr(startPolicy('sha256'), missing, [])),
    'pcr_value_missing',
  );
});

test('the start of a policy is zeros of the length of its hash', () => {
  assert.deepEqual(startPolicy('sha384').digest, new Uint8Array(48));
});
