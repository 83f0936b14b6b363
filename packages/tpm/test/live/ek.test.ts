// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, concatBytes, toHex } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { decodeCertificate } from '@vouchsafe/pki';
import { manufactureSwtpm, needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  activateCredential,
  attestationKeyTemplate,
  createEk,
  createObject,
  createPrimary,
  EK_TEMPLATES,
  type EkTemplate,
  ekPolicyB,
  ekTemplate,
  execute,
  loadObject,
  makeCredential,
  nameOf,
  nvAttributes,
  nvPublicArea,
  readEkStore,
  readEkTemplate,
  readNvIndex,
  sealForImport,
  spkiOf,
  TPM_RH,
  type TpmTransport,
  tpm2ActivateCredential,
  tpm2Import,
  tpm2MakeCredential,
  tpm2NvDefineSpace,
  tpm2NvUndefineSpace,
  tpm2NvWrite,
  tpm2Unseal,
  tpmtPublic,
  withEkSession,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { EMPTY, errorCodeOf, liveTpm, NULL_SYMMETRIC, PLAIN, random, returnCodeOf, withSrk } from './tpm.ts';

test(
  'the keys of a maker: certificates in NV, and the templates make the certified keys',
  needsTool('swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool'),
  async (t) => {
    for (const [bits, names] of [
      [2048, ['H-3', 'L-1']],
      [3072, ['H-3', 'H-6']],
    ] as const) {
      const dir = tempDir(t);
      manufactureSwtpm(dir, bits);
      const swtpm = await startSwtpm(t, dir);
      const tpm = await openSwtpm({ path: swtpm.path });
      t.after(() => tpm.close());
      const { certificates, chain, unreadable } = await readEkStore(tpm);
      assert.deepEqual(certificates.map(({ template }) => template.name).sort(), names);
      assert.deepEqual([chain, unreadable], [[], []]);
      for (const { template, certificate } of certificates) {
        const { publicKey } = decodeCertificate(certificate);
        const ek = await createEk(tpm, template);
        await withFlushed(tpm, ek, async () => assert.deepEqual(spkiOf(ek.area.value), publicKey.bytes));
      }
    }
  },
);

test('the policies of the profile are those of its text', () => {
  // TCG EK Credential Profile 2.x, annex B: PolicyA in the template L-1, PolicyB by SHA-256.
  assert.equal(
    toHex(ekTemplate('L-1').template.value.authPolicy),
    '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
  );
  assert.equal(toHex(ekPolicyB('sha256').digest), 'ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0');
});

/** RSA of 3,072 and 4,096 bits takes seconds to make; the tests above make the former. */
const QUICK = EK_TEMPLATES.filter(({ name }) => name !== 'H-6' && name !== 'H-7');

test('credentials and imports for endorsement keys of every template', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);
  const withAk = <T>(
    use: (
      srk: Parameters<Parameters<typeof withSrk<T>>[1]>[0],
      ak: Awaited<ReturnType<typeof loadObject>>,
    ) => Promise<T>,
  ): Promise<T> =>
    withSrk(tpm, async (srk) => {
      const ak = await loadObject(
        tpm,
        srk,
        await createObject(tpm, srk, { template: attestationKeyTemplate('ecdsa-p256') }),
      );
      return withFlushed(tpm, ak, () => use(srk, ak));
    });
  const withEk = async <T>(
    template: EkTemplate,
    use: (ek: Awaited<ReturnType<typeof createEk>>) => Promise<T>,
  ): Promise<T> => {
    const ek = await createEk(tpm, template);
    return withFlushed(tpm, ek, () => use(ek));
  };

  for (const template of QUICK) {
    await t.test(`${template.name}, ${template.label}`, async () => {
      await withAk(async (srk, ak) =>
        withEk(template, async (ek) => {
          const credential = ascii('0123456789abcdef');
          const made = makeCredential(ek.area.value, ak.name, credential, random);
          assert.deepEqual(await activateCredential(tpm, ek, ak, made, { random }), credential);
          // For another key of the same TPM it does not open.
          const other = makeCredential(ek.area.value, srk.name, credential, random);
          const refused = activateCredential(tpm, ek, ak, other, { random });
          assert.equal(await returnCodeOf(refused), 'TPM_RC_INTEGRITY');
        }),
      );
      // In turn: the TPM has room for three objects.
      await withEk(template, async (ek) => {
        const blob = sealForImport(ek.area.value, { data: ascii('for one TPM'), auth: ascii('pin') }, random);
        const imported = await withEkSession(tpm, ek, { random }, (session) =>
          execute(
            tpm,
            tpm2Import,
            { parentHandle: ek, encryptionKey: EMPTY, symmetricAlg: NULL_SYMMETRIC, ...blob },
            { sessions: [session] },
          ),
        );
        const item = await withEkSession(tpm, ek, { random }, (session) => {
          const wrapped = { area: blob.objectPublic, private: imported.outPrivate };
          return loadObject(tpm, ek, wrapped, ascii('pin'), { sessions: [session] });
        });
        const { outData } = await withFlushed(tpm, item, () =>
          withSession(tpm, { kind: 'hmac', random, salt: ek }, (session) =>
            execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] }),
          ),
        );
        assert.deepEqual(outData, ascii('for one TPM'));
      });
    });
  }

  await t.test('a blob for another TPM is not imported: the seed is for its key alone', () =>
    withEk(ekTemplate('L-2'), async (ek) => {
      const stranger = await createPrimary(tpm, { template: ek.area, hierarchy: TPM_RH.null });
      const blob = sealForImport(stranger.area.value, { data: ascii('x') }, random);
      await withFlushed(tpm, stranger, async () => {});
      const run = withEkSession(tpm, ek, { random }, (session) => {
        const input = { parentHandle: ek, encryptionKey: EMPTY, symmetricAlg: NULL_SYMMETRIC, ...blob };
        return execute(tpm, tpm2Import, input, { sessions: [session] });
      });
      assert.match(await returnCodeOf(run), /TPM_RC_(INTEGRITY|ECC_POINT|VALUE)/);
    }),
  );

  await t.test('MakeCredential by the TPM is opened too; and it refuses what is too long', () =>
    withAk(async (_srk, ak) =>
      withEk(ekTemplate('L-2'), async (ek) => {
        const input = { handle: ek, credential: ascii('cred'), objectName: ak.name };
        const { credentialBlob, secret } = await execute(tpm, tpm2MakeCredential, input, PLAIN);
        const opened = await activateCredential(tpm, ek, ak, { credentialBlob, secret }, { random });
        assert.deepEqual(opened, ascii('cred'));
        const long = { ...input, credential: new Uint8Array(33).fill(1) };
        assert.equal(await returnCodeOf(execute(tpm, tpm2MakeCredential, long, PLAIN)), 'TPM_RC_SIZE');
        // Without its policy the key does nothing.
        const bare = execute(
          tpm,
          tpm2ActivateCredential,
          { activateHandle: ak, keyHandle: ek, credentialBlob, secret },
          PLAIN,
        );
        assert.equal(await returnCodeOf(bare), 'TPM_RC_AUTH_UNAVAILABLE');
      }),
    ),
  );

  await t.test('a template or a nonce in NV is what the key is made of', async () => {
    const { template, templateIndex, nonceIndex } = ekTemplate('L-2');
    const store = async (tpm: TpmTransport, nvIndex: number, data: Uint8Array): Promise<void> => {
      const attributes = nvAttributes('ordinary', 'ownerWrite', 'authRead', 'ownerRead', 'noDA');
      const publicInfo = nvPublicArea({
        nvIndex,
        nameAlg: 'sha256',
        attributes,
        authPolicy: EMPTY,
        dataSize: data.length,
      });
      await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
      await execute(tpm, tpm2NvWrite, { authHandle: TPM_RH.owner, nvIndex, data, offset: 0 });
    };
    const remove = async (nvIndex: number): Promise<void> => {
      const index = await readNvIndex(tpm, nvIndex);
      await execute(tpm, tpm2NvUndefineSpace, { authHandle: TPM_RH.owner, nvIndex: index });
    };
    const plain = await withEk(ekTemplate('L-2'), async (ek) => nameOf(ek.area));
    const nonce = ascii('a nonce');
    await store(tpm, nonceIndex as number, nonce);
    const withNonce = await readEkTemplate(tpm, ekTemplate('L-2'));
    assert.ok(withNonce.value.type === 'ecc');
    assert.deepEqual(withNonce.value.unique.x, concatBytes(nonce, new Uint8Array(32 - nonce.length)));
    const other = await withEk(ekTemplate('L-2'), async (ek) => nameOf(ek.area));
    assert.notDeepEqual(other, plain);
    await store(tpm, templateIndex, encode(tpmtPublic, template.value));
    assert.deepEqual(await withEk(ekTemplate('L-2'), async (ek) => nameOf(ek.area)), plain);
    await remove(templateIndex);
    await store(tpm, templateIndex, ascii('not a template'));
    assert.equal(await errorCodeOf(readEkTemplate(tpm, ekTemplate('L-2'))), 'key_unsupported');
  });
});
