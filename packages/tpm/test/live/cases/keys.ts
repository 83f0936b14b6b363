// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { ecdhSharedX, ecPointOf, encryptRsaOaep, importPublicKey } from '@vouchsafe/crypto';
import {
  authorizedPolicyDigest,
  changedArea,
  createPrimary,
  execute,
  importSigningKey,
  isTpmSignature,
  objectAttributes,
  type PublicArea,
  policyAuthorize,
  policySigned,
  spkiOf,
  srkTemplate,
  startPolicy,
  TPM_RH,
  type TpmTransport,
  tpm2EcdhKeyGen,
  tpm2EcdhZGen,
  tpm2PolicyAuthorize,
  tpm2PolicyGetDigest,
  tpm2PolicySigned,
  tpm2RsaDecrypt,
  tpm2RsaEncrypt,
  tpm2Sign,
  tpm2VerifySignature,
  tpmDigest,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, NULL_SCHEME, NULL_SYMMETRIC, PLAIN, random, returnCodeOf } from '../tpm.ts';

const KEY = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth'] as const;

/** A key that is not restricted, for `use`. */
function keyTemplate(kind: 'rsa' | 'ecc', use: 'decrypt' | 'signEncrypt'): PublicArea {
  const area = srkTemplate(kind);
  const attributes = objectAttributes(...KEY, use);
  if (area.value.type === 'rsa') {
    const parameters = { ...area.value.parameters, symmetric: NULL_SYMMETRIC };
    return changedArea<'rsa'>(area, { objectAttributes: attributes, parameters });
  }
  assert.ok(area.value.type === 'ecc');
  return changedArea<'ecc'>(area, {
    objectAttributes: attributes,
    parameters: { ...area.value.parameters, symmetric: NULL_SYMMETRIC },
  });
}

const NO_TICKET = { tag: 'hashcheck', hierarchy: TPM_RH.null, digest: EMPTY } as const;

export async function keyCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test('RSA_Encrypt, RSA_Decrypt', async () => {
    const key = await createPrimary(tpm, { template: keyTemplate('rsa', 'decrypt') });
    await withFlushed(tpm, key, async () => {
      const inScheme = { scheme: 'oaep', details: { hashAlg: 'sha256' } } as const;
      const label = concatBytes(ascii('label'), Uint8Array.of(0));
      const message = ascii('message');
      const byTpm = await execute(tpm, tpm2RsaEncrypt, { keyHandle: key, message, inScheme, label }, PLAIN);
      const parameters = { hash: 'sha256', label, seed: random(32) } as const;
      const bySoftware = encryptRsaOaep(importPublicKey(spkiOf(key.area.value)), message, parameters);
      for (const cipherText of [byTpm.outData, bySoftware]) {
        const input = { keyHandle: key, cipherText, inScheme, label };
        assert.deepEqual((await execute(tpm, tpm2RsaDecrypt, input, PLAIN)).message, message);
        const otherLabel = execute(tpm, tpm2RsaDecrypt, { ...input, label: EMPTY }, PLAIN);
        // libtpms says FAILURE where the specification has VALUE.
        assert.match(await returnCodeOf(otherLabel), /TPM_RC_(VALUE|FAILURE)/);
      }
      const long = { keyHandle: key, message: new Uint8Array(200).fill(1), inScheme, label };
      assert.match(await returnCodeOf(execute(tpm, tpm2RsaEncrypt, long, PLAIN)), /TPM_RC_(VALUE|FAILURE)/);
    });
  });

  await t.test('ECDH_KeyGen, ECDH_ZGen', async () => {
    const key = await createPrimary(tpm, { template: keyTemplate('ecc', 'decrypt') });
    await withFlushed(tpm, key, async () => {
      const { zPoint, pubPoint } = await execute(tpm, tpm2EcdhKeyGen, { keyHandle: key }, PLAIN);
      const again = await execute(tpm, tpm2EcdhZGen, { keyHandle: key, inPoint: pubPoint }, PLAIN);
      assert.deepEqual(again.outPoint, zPoint);
      const scalar = random(32).fill(1, 0, 1);
      const point = ecPointOf('P-256', scalar);
      const inPoint = { x: point.slice(1, 33), y: point.slice(33) };
      const { outPoint } = await execute(tpm, tpm2EcdhZGen, { keyHandle: key, inPoint }, PLAIN);
      assert.ok(key.area.value.type === 'ecc');
      const { x, y } = key.area.value.unique;
      assert.deepEqual(outPoint.x, ecdhSharedX('P-256', scalar, concatBytes(Uint8Array.of(4), x, y)));
      const off = { ...inPoint, y: inPoint.y.with(31, (inPoint.y[31] as number) ^ 1) };
      const wrong = execute(tpm, tpm2EcdhZGen, { keyHandle: key, inPoint: off }, PLAIN);
      assert.equal(await returnCodeOf(wrong), 'TPM_RC_ECC_POINT');
    });
    const rsa = await createPrimary(tpm, { template: keyTemplate('rsa', 'signEncrypt') });
    await withFlushed(tpm, rsa, async () => {
      assert.equal(await returnCodeOf(execute(tpm, tpm2EcdhKeyGen, { keyHandle: rsa }, PLAIN)), 'TPM_RC_KEY');
    });
  });

  await t.test('Sign, VerifySignature, PolicyAuthorize, PolicySigned', async () => {
    const key = await createPrimary(tpm, { template: keyTemplate('ecc', 'signEncrypt') });
    const sign = async (digest: Uint8Array) => {
      const inScheme = { scheme: 'ecdsa', details: { hashAlg: 'sha256' } } as const;
      return (await execute(tpm, tpm2Sign, { keyHandle: key, digest, inScheme, validation: NO_TICKET })).signature;
    };
    await withFlushed(tpm, key, async () => {
      const message = ascii('message');
      const digest = tpmDigest('sha256', message);
      const signature = await sign(digest);
      assert.ok(isTpmSignature(importSigningKey(key.area.value), message, signature));
      const unsigned = { keyHandle: key, digest: digest.subarray(1), inScheme: NULL_SCHEME, validation: NO_TICKET };
      assert.match(await returnCodeOf(execute(tpm, tpm2Sign, unsigned)), /TPM_RC_(SCHEME|SIZE)/);
      await execute(tpm, tpm2VerifySignature, { keyHandle: key, digest, signature });
      const other = execute(tpm, tpm2VerifySignature, { keyHandle: key, digest: new Uint8Array(32), signature });
      assert.equal(await returnCodeOf(other), 'TPM_RC_SIGNATURE');

      const policyRef = ascii('ref');
      const approvedPolicy = startPolicy('sha256').digest;
      const aHash = authorizedPolicyDigest('sha256', approvedPolicy, policyRef);
      const { validation: checkTicket } = await execute(tpm, tpm2VerifySignature, {
        keyHandle: key,
        digest: aHash,
        signature: await sign(aHash),
      });
      await withSession(tpm, { kind: 'policy', random }, async (policySession) => {
        const input = { policySession, approvedPolicy, policyRef, keySign: key.name, checkTicket };
        const forged = { ...input, checkTicket: { ...checkTicket, digest: new Uint8Array(32) } };
        assert.equal(await returnCodeOf(execute(tpm, tpm2PolicyAuthorize, forged)), 'TPM_RC_VALUE');
        await execute(tpm, tpm2PolicyAuthorize, input);
        const { policyDigest } = await execute(tpm, tpm2PolicyGetDigest, { policySession });
        assert.deepEqual(policyDigest, policyAuthorize(startPolicy('sha256'), key.name, policyRef).digest);
      });
      await withSession(tpm, { kind: 'policy', random }, async (policySession) => {
        // aHash = H(nonceTPM || expiration || cpHashA || policyRef). Part 3, section 23.3.
        const { nonceTpm: nonceTPM } = policySession;
        const toSign = tpmDigest('sha256', concatBytes(nonceTPM, encode(u32be, 0), policyRef));
        const input = { authObject: key, policySession, nonceTPM, cpHashA: EMPTY, policyRef, expiration: 0 };
        const wrong = execute(tpm, tpm2PolicySigned, { ...input, auth: signature });
        assert.equal(await returnCodeOf(wrong), 'TPM_RC_SIGNATURE');
        await execute(tpm, tpm2PolicySigned, { ...input, auth: await sign(toSign) });
        const { policyDigest } = await execute(tpm, tpm2PolicyGetDigest, { policySession });
        assert.deepEqual(policyDigest, policySigned(startPolicy('sha256'), key.name, policyRef).digest);
      });
    });
  });
}
