// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, bytesEqual } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import {
  attestationKeyTemplate,
  createObject,
  createPrimary,
  execute,
  importSigningKey,
  type LoadedObject,
  loadObject,
  nvAttributes,
  nvPublicArea,
  qualifiedNameOf,
  readNvIndex,
  srkTemplate,
  TPM_RH,
  type TpmTransport,
  type TpmtSignature,
  tpm2Certify,
  tpm2CertifyCreation,
  tpm2GetRandom,
  tpm2GetSessionAuditDigest,
  tpm2GetTime,
  tpm2NvCertify,
  tpm2NvDefineSpace,
  tpm2NvUndefineSpace,
  tpm2NvWrite,
  tpmtSignature,
  verifyAttest,
  verifyCertify,
  verifyCertifyCreation,
  verifyNvCertify,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, NULL_SCHEME, random, returnCodeOf, withSrk } from '../tpm.ts';

const nonce = ascii('a nonce');
const asked = { qualifyingData: nonce, inScheme: NULL_SCHEME } as const;

const evidenceOf = (attest: Uint8Array, signature: TpmtSignature) => ({
  attest,
  signature: encode(tpmtSignature, signature),
});

/** An attestation key under the storage root key, and what verifiers know of it. */
async function withAk<T>(
  tpm: TpmTransport,
  use: (
    ak: LoadedObject,
    srk: LoadedObject,
    expected: { key: ReturnType<typeof importSigningKey>; nonce: Uint8Array; qualifiedSigner: Uint8Array },
  ) => Promise<T>,
): Promise<T> {
  return withSrk(tpm, async (srk) => {
    const ak = await loadObject(
      tpm,
      srk,
      await createObject(tpm, srk, { template: attestationKeyTemplate('ecdsa-p256') }),
    );
    const qualifiedSigner = qualifiedNameOf(ak.area, qualifiedNameOf(srk.area, Uint8Array.of(0x40, 0, 0, 1)));
    const expected = { key: importSigningKey(ak.area.value), nonce, qualifiedSigner };
    return withFlushed(tpm, ak, () => use(ak, srk, expected));
  });
}

export async function attestationCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test('Certify', () =>
    withAk(tpm, async (ak, srk, expected) => {
      const input = { objectHandle: srk, signHandle: ak, ...asked };
      const { certifyInfo, signature } = await execute(tpm, tpm2Certify, input);
      const { attested } = verifyCertify(evidenceOf(certifyInfo, signature), { ...expected, object: srk.area });
      assert.deepEqual(attested.qualifiedName, qualifiedNameOf(srk.area, Uint8Array.of(0x40, 0, 0, 1)));
      const notASigner = execute(tpm, tpm2Certify, { ...input, signHandle: srk });
      assert.equal(await returnCodeOf(notASigner), 'TPM_RC_KEY');
    }),
  );

  await t.test('CertifyCreation', () =>
    withAk(tpm, async (ak, _srk, expected) => {
      const creationPcrs = [{ bank: 'sha256', pcrs: [0, 7] }] as const;
      const key = await createPrimary(tpm, { template: srkTemplate('ecc'), outsideInfo: ascii('why'), creationPcrs });
      await withFlushed(tpm, key, async () => {
        const { hash: creationHash, ticket: creationTicket, data } = key.creation;
        const input = { signHandle: ak, objectHandle: key, creationHash, creationTicket, ...asked };
        const { certifyInfo, signature } = await execute(tpm, tpm2CertifyCreation, input);
        const evidence = evidenceOf(certifyInfo, signature);
        const { creation } = verifyCertifyCreation(evidence, { ...expected, object: key.area }, data.bytes);
        assert.deepEqual(creation.value.outsideInfo, ascii('why'));
        assert.deepEqual(creation.value.parentName, Uint8Array.of(0x40, 0, 0, 1));
        const otherHash = creationHash.with(0, (creationHash[0] as number) ^ 1);
        const forged = execute(tpm, tpm2CertifyCreation, { ...input, creationHash: otherHash });
        assert.equal(await returnCodeOf(forged), 'TPM_RC_TICKET');
      });
    }),
  );

  await t.test('GetTime', () =>
    withAk(tpm, async (ak, srk, expected) => {
      const input = { privacyAdminHandle: TPM_RH.endorsement, signHandle: ak, ...asked };
      const { timeInfo, signature } = await execute(tpm, tpm2GetTime, input);
      const attest = verifyAttest(evidenceOf(timeInfo, signature), 'time', expected);
      // The counters in front are obscured for a key outside the endorsement hierarchy; those attested are not.
      const { clockInfo } = attest.attested.time;
      assert.equal(clockInfo.clock, attest.clockInfo.clock);
      assert.ok(clockInfo.resetCount < 10 && attest.clockInfo.resetCount !== clockInfo.resetCount);
      assert.equal(await returnCodeOf(execute(tpm, tpm2GetTime, { ...input, signHandle: srk })), 'TPM_RC_KEY');
    }),
  );

  await t.test('GetSessionAuditDigest: the TPM audited what we audited', () =>
    withAk(tpm, async (ak, srk, expected) => {
      await withSession(tpm, { kind: 'hmac', random }, async (session) => {
        const sessions = [{ session, audit: true }];
        for (let i = 0; i < 3; i++) await execute(tpm, tpm2GetRandom, { bytesRequested: 8 }, { sessions });
        const input = { privacyAdminHandle: TPM_RH.endorsement, signHandle: ak, sessionHandle: session, ...asked };
        const { auditInfo, signature } = await execute(tpm, tpm2GetSessionAuditDigest, input);
        const attest = verifyAttest(evidenceOf(auditInfo, signature), 'sessionAudit', expected);
        assert.deepEqual(attest.attested.sessionDigest, session.auditDigest);
        const wrong = execute(tpm, tpm2GetSessionAuditDigest, { ...input, signHandle: srk });
        assert.equal(await returnCodeOf(wrong), 'TPM_RC_KEY');
      });
    }),
  );

  await t.test('NV_Certify', () =>
    withAk(tpm, async (ak, _srk, expected) => {
      const nvIndex = 0x0180_0010;
      const attributes = nvAttributes('ordinary', 'ownerWrite', 'ownerRead', 'authRead', 'noDA');
      const publicInfo = nvPublicArea({ nvIndex, nameAlg: 'sha256', attributes, authPolicy: EMPTY, dataSize: 16 });
      await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
      const handles = { signHandle: ak, authHandle: TPM_RH.owner, nvIndex };
      const input = { ...handles, ...asked, size: 4, offset: 2 };
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvCertify, input)), 'TPM_RC_NV_UNINITIALIZED');
      const data = ascii('0123456789abcdef');
      await execute(tpm, tpm2NvWrite, { authHandle: TPM_RH.owner, nvIndex, data, offset: 0 });
      const { certifyInfo, signature } = await execute(tpm, tpm2NvCertify, input);
      const index = await readNvIndex(tpm, nvIndex);
      const evidence = evidenceOf(certifyInfo, signature);
      const { attested } = verifyNvCertify(evidence, { ...expected, index: index.area });
      assert.ok(bytesEqual(attested.nvContents, ascii('2345')) && attested.offset === 2);
      await execute(tpm, tpm2NvUndefineSpace, { authHandle: TPM_RH.owner, nvIndex: index });
    }),
  );
}
