// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { TestContext } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  attestationKeyTemplate,
  createEk,
  createObject,
  createPrimary,
  ekTemplate,
  execute,
  flush,
  loadObject,
  makeCredential,
  nameOf,
  objectAttributes,
  publicArea,
  publicAreaFromSpki,
  qualifiedNameOf,
  readHandles,
  readObject,
  sealedTemplate,
  srkTemplate,
  TPM_RH,
  type TpmTransport,
  tpm2ActivateCredential,
  tpm2ContextLoad,
  tpm2ContextSave,
  tpm2CreatePrimary,
  tpm2EvictControl,
  tpm2FlushContext,
  tpm2Load,
  tpm2LoadExternal,
  tpm2MakeCredential,
  tpm2ObjectChangeAuth,
  tpm2ReadPublic,
  tpm2Unseal,
  withEkSession,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, PLAIN, random, returnCodeOf, withSrk } from '../tpm.ts';

const NOT_LOADED = 0x8000_0002;
const data = ascii('sealed');

export async function objectCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test(
    'CreatePrimary: the same key each time, in both kinds; a template that contradicts itself is refused',
    async () => {
      for (const kind of ['ecc', 'rsa'] as const) {
        const names = [];
        for (let i = 0; i < 2; i++) {
          const key = await createPrimary(tpm, { template: srkTemplate(kind), outsideInfo: ascii('info') });
          assert.deepEqual(key.creation.data.value.outsideInfo, ascii('info'));
          names.push(await withFlushed(tpm, key, async () => key.name));
        }
        assert.deepEqual(names[0], names[1]);
      }
      const { value } = srkTemplate('ecc');
      const both = publicArea({ ...value, objectAttributes: objectAttributes('restricted', 'decrypt', 'signEncrypt') });
      assert.equal(await returnCodeOf(createPrimary(tpm, { template: both })), 'TPM_RC_ATTRIBUTES');
      const input = {
        inSensitive: { userAuth: EMPTY, data: EMPTY },
        inPublic: srkTemplate('ecc'),
        outsideInfo: EMPTY,
        creationPCR: [],
      };
      const nowhere = execute(tpm, tpm2CreatePrimary, { primaryHandle: 0x4000_0099, ...input });
      assert.equal(await returnCodeOf(nowhere), 'TPM_RC_VALUE');
    },
  );

  await t.test('Create, Load, Unseal, ObjectChangeAuth', () =>
    withSrk(tpm, (srk) =>
      withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
        const options = { sessions: [session] };
        const sealed = await createObject(tpm, srk, { template: sealedTemplate(), auth: ascii('old'), data }, options);
        assert.equal(
          await returnCodeOf(createObject(tpm, { ...srk, handle: NOT_LOADED }, { template: sealedTemplate() })),
          'TPM_RC_REFERENCE_H0',
        );
        const broken = { ...sealed, private: sealed.private.with(40, (sealed.private[40] as number) ^ 1) };
        assert.equal(await returnCodeOf(loadObject(tpm, srk, broken)), 'TPM_RC_INTEGRITY');
        const item = await loadObject(tpm, srk, sealed, ascii('old'), options);
        const changed = await withFlushed(tpm, item, async () => {
          const { outPrivate } = await execute(
            tpm,
            tpm2ObjectChangeAuth,
            { objectHandle: item, parentHandle: srk, newAuth: ascii('new') },
            options,
          );
          const stranger = { objectHandle: item, parentHandle: item, newAuth: ascii('new') };
          assert.equal(await returnCodeOf(execute(tpm, tpm2ObjectChangeAuth, stranger, options)), 'TPM_RC_TYPE');
          return { ...sealed, private: outPrivate.slice() };
        });
        const after = await loadObject(tpm, srk, changed, ascii('new'), options);
        await withFlushed(tpm, after, async () => {
          assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: after }, options)).outData, data);
        });
        assert.equal(await returnCodeOf(execute(tpm, tpm2Unseal, { itemHandle: srk }, options)), 'TPM_RC_TYPE');
      }),
    ),
  );

  await t.test('LoadExternal: public and private keys; halves that do not belong together are refused', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    const attributes = objectAttributes('userWithAuth', 'signEncrypt');
    const inPublic = publicArea(publicAreaFromSpki(spki, { nameAlg: 'sha256', objectAttributes: attributes }));
    const external = { inPrivate: undefined, inPublic, hierarchy: 'owner' } as const;
    const { objectHandle, name } = await execute(tpm, tpm2LoadExternal, external);
    await flush(tpm, objectHandle);
    assert.deepEqual(name, nameOf(inPublic));
    const { d = '' } = privateKey.export({ format: 'jwk' });
    const sensitive = new Uint8Array(Buffer.from(d, 'base64url'));
    const inPrivate = { sensitiveType: 'ecc', authValue: EMPTY, seedValue: EMPTY, sensitive } as const;
    const whole = await execute(tpm, tpm2LoadExternal, { inPrivate, inPublic, hierarchy: 'null' }, PLAIN);
    await flush(tpm, whole.objectHandle);
    const other = { ...inPrivate, sensitive: sensitive.with(31, (sensitive[31] as number) ^ 1) };
    const wrong = execute(tpm, tpm2LoadExternal, { inPrivate: other, inPublic, hierarchy: 'null' }, PLAIN);
    assert.equal(await returnCodeOf(wrong), 'TPM_RC_BINDING');
  });

  await t.test('ReadPublic, EvictControl, FlushContext', () =>
    withSrk(tpm, async (srk) => {
      const { qualifiedName } = await execute(tpm, tpm2ReadPublic, { objectHandle: srk });
      assert.deepEqual(qualifiedName, qualifiedNameOf(srk.area, Uint8Array.of(0x40, 0, 0, 1)));
      assert.equal(await returnCodeOf(readObject(tpm, NOT_LOADED)), 'TPM_RC_REFERENCE_H0');
      const persistentHandle = 0x8100_0042;
      await execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: srk, persistentHandle });
      assert.deepEqual(await readHandles(tpm, 'persistent'), [persistentHandle]);
      const kept = await readObject(tpm, persistentHandle);
      assert.deepEqual(kept.name, srk.name);
      const again = execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: srk, persistentHandle });
      assert.equal(await returnCodeOf(again), 'TPM_RC_NV_DEFINED');
      await execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: kept, persistentHandle });
      assert.deepEqual(await readHandles(tpm, 'persistent'), []);
      assert.equal(await returnCodeOf(execute(tpm, tpm2FlushContext, { flushHandle: NOT_LOADED })), 'TPM_RC_HANDLE');
    }),
  );

  await t.test('ContextSave, ContextLoad', () =>
    withSrk(tpm, async (srk) => {
      const { context } = await execute(tpm, tpm2ContextSave, { saveHandle: srk });
      const { loadedHandle } = await execute(tpm, tpm2ContextLoad, { context });
      assert.deepEqual((await readObject(tpm, loadedHandle)).name, srk.name);
      await flush(tpm, loadedHandle);
      const contextBlob = context.contextBlob.with(60, (context.contextBlob[60] as number) ^ 1);
      const broken = execute(tpm, tpm2ContextLoad, { context: { ...context, contextBlob } });
      assert.equal(await returnCodeOf(broken), 'TPM_RC_INTEGRITY');
      const none = execute(tpm, tpm2ContextSave, { saveHandle: NOT_LOADED });
      assert.equal(await returnCodeOf(none), 'TPM_RC_REFERENCE_H0');
    }),
  );

  await t.test('MakeCredential, ActivateCredential', () =>
    withSrk(tpm, async (srk) => {
      const created = await createObject(tpm, srk, { template: attestationKeyTemplate('ecdsa-p256') });
      const ak = await loadObject(tpm, srk, created);
      await withFlushed(tpm, ak, async () => {
        const ek = await createEk(tpm, ekTemplate('L-2'));
        await withFlushed(tpm, ek, async () => {
          const input = { handle: ek, credential: ascii('cred'), objectName: ak.name };
          const byTpm = await execute(tpm, tpm2MakeCredential, input, PLAIN);
          const bySoftware = makeCredential(ek.area.value, ak.name, ascii('cred'), random);
          const open = (credential: typeof bySoftware) =>
            withEkSession(tpm, ek, { random }, (session) => {
              const handles = { activateHandle: ak, keyHandle: ek };
              const options = { sessions: ['password' as const, session] };
              return execute(tpm, tpm2ActivateCredential, { ...handles, ...credential }, options);
            });
          for (const credential of [byTpm, bySoftware])
            assert.deepEqual((await open(credential)).certInfo, ascii('cred'));
          const forSrk = makeCredential(ek.area.value, srk.name, ascii('cred'), random);
          assert.equal(await returnCodeOf(open(forSrk)), 'TPM_RC_INTEGRITY');
          const long = execute(tpm, tpm2MakeCredential, { ...input, credential: new Uint8Array(33).fill(1) }, PLAIN);
          assert.equal(await returnCodeOf(long), 'TPM_RC_SIZE');
        });
      });
      const input = { parentHandle: srk, inPrivate: EMPTY, inPublic: created.area };
      assert.equal(await returnCodeOf(execute(tpm, tpm2Load, input)), 'TPM_RC_SIZE');
    }),
  );
}
