// SPDX-License-Identifier: Apache-2.0
// Attacks that need two machines: keys, credentials and proofs of one passed off as the other's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { needsTool } from '@vouchsafe/testing';
import {
  activateCredential,
  attestationKeyTemplate,
  changedArea,
  checkAttestationKey,
  createEk,
  createObject,
  createPrimary,
  ekTemplate,
  execute,
  importSigningKey,
  type LoadedObject,
  loadObject,
  makeCredential,
  nameOf,
  objectAttributes,
  publicArea,
  sealForImport,
  srkTemplate,
  type TpmTransport,
  tpm2Certify,
  tpm2CertifyCreation,
  tpm2Import,
  tpmtSignature,
  verifyCertify,
  verifyCertifyCreation,
  withEkSession,
  withFlushed,
} from '@vouchsafe/tpm';
import { EMPTY, liveTpm, NULL_SCHEME, NULL_SYMMETRIC, random, returnCodeOf, withSrk } from './tpm.ts';

const credential = ascii('only for the one machine');

async function withAk<T>(tpm: TpmTransport, use: (ak: LoadedObject) => Promise<T>): Promise<T> {
  return withSrk(tpm, async (srk) => {
    const ak = await loadObject(
      tpm,
      srk,
      await createObject(tpm, srk, { template: attestationKeyTemplate('ecdsa-p256') }),
    );
    return withFlushed(tpm, ak, () => use(ak));
  });
}

async function withEk<T>(tpm: TpmTransport, use: (ek: LoadedObject) => Promise<T>): Promise<T> {
  const ek = await createEk(tpm, ekTemplate('L-2'));
  return withFlushed(tpm, ek, () => use(ek));
}

test('two machines', needsTool('swtpm'), async (t) => {
  const { tpm: a } = await liveTpm(t);
  const { tpm: b } = await liveTpm(t);

  await t.test('A30: the endorsement key of A with the attestation key of B: neither opens the credential', () =>
    withEk(a, (ekA) =>
      withAk(b, async (akB) => {
        const made = makeCredential(ekA.area.value, akB.name, credential, random);
        // A has the endorsement key, but not the object of that name.
        await withAk(a, async (akA) => {
          assert.equal(await returnCodeOf(activateCredential(a, ekA, akA, made, { random })), 'TPM_RC_INTEGRITY');
        });
        // B has the object, but cannot learn the seed.
        await withEk(b, async (ekB) => {
          assert.match(
            await returnCodeOf(activateCredential(b, ekB, akB, made, { random })),
            /TPM_RC_(INTEGRITY|VALUE|ECC_POINT)/,
          );
        });
      }),
    ),
  );

  await t.test('A34: a credential for one attestation key does not open for another of the same TPM', () =>
    withEk(a, (ek) =>
      withAk(a, async (ak) => {
        const twin = changedArea<'ecc'>(ak.area, { authPolicy: new Uint8Array(32) });
        for (const name of [nameOf(twin), ek.name, ak.name.subarray(0, -1)]) {
          const made = makeCredential(ek.area.value, name, credential, random);
          assert.equal(await returnCodeOf(activateCredential(a, ek, ak, made, { random })), 'TPM_RC_INTEGRITY');
        }
        const made = makeCredential(ek.area.value, ak.name, credential, random);
        assert.deepEqual(await activateCredential(a, ek, ak, made, { random }), credential);
      }),
    ),
  );

  await t.test('A28: a key that the TPM took from outside is told by its attributes, which are in its name', () =>
    withSrk(a, async (srk) => {
      // All that an attestation key must be but fixed to the TPM: somebody may have it elsewhere too.
      const { value } = attestationKeyTemplate('ecdsa-p256');
      const movable = publicArea({
        ...value,
        objectAttributes: objectAttributes('sensitiveDataOrigin', 'userWithAuth', 'restricted', 'signEncrypt'),
      } as typeof value);
      const created = await createObject(a, srk, { template: movable });
      const key = await loadObject(a, srk, created);
      await withFlushed(a, key, async () => {
        const codes = checkAttestationKey(key.area.value).map(({ where }) => where.path);
        assert.deepEqual(codes, ['objectAttributes.fixedTPM', 'objectAttributes.fixedParent']);
        // Its owner shows an area with the attributes that are asked for: then the name is another.
        const lie = publicArea({ ...key.area.value, objectAttributes: value.objectAttributes } as typeof value);
        assert.deepEqual(checkAttestationKey(lie.value), []);
        await withEk(a, async (ek) => {
          const made = makeCredential(ek.area.value, nameOf(lie), credential, random);
          assert.equal(await returnCodeOf(activateCredential(a, ek, key, made, { random })), 'TPM_RC_INTEGRITY');
        });
      });
    }),
  );

  await t.test('A46: a key of B is not certified by the attestation key of A', () =>
    withAk(a, (akA) =>
      withAk(b, async (akB) => {
        const nonce = ascii('session');
        const key = await createPrimary(b, { template: srkTemplate('ecc') });
        const evidence = await withFlushed(b, key, async () => {
          const input = { objectHandle: key, signHandle: akB, qualifyingData: nonce, inScheme: NULL_SCHEME };
          const { certifyInfo, signature } = await execute(b, tpm2Certify, input);
          return { attest: certifyInfo, signature: encode(tpmtSignature, signature) };
        });
        const good = { key: importSigningKey(akB.area.value), nonce, object: key.area };
        verifyCertify(evidence, good);
        const forA = { ...good, key: importSigningKey(akA.area.value) };
        assert.throws(() => verifyCertify(evidence, forA), { code: 'signature_invalid' });
        // A forwarding proxy: the proof of B, which is bound to B's session, in a session of A's.
        assert.throws(() => verifyCertify(evidence, { ...good, nonce: ascii('other') }), { code: 'attest_nonce' });
      }),
    ),
  );

  await t.test('A46: a creation ticket of B is nothing to A', async () => {
    const made = await createPrimary(b, { template: srkTemplate('ecc') });
    await withFlushed(b, made, async () => {});
    await withAk(a, async (ak) => {
      const own = await createPrimary(a, { template: srkTemplate('ecc') });
      await withFlushed(a, own, async () => {
        const { hash: creationHash, ticket: creationTicket } = made.creation;
        const common = { signHandle: ak, objectHandle: own, qualifyingData: EMPTY, inScheme: NULL_SCHEME };
        const foreign = execute(a, tpm2CertifyCreation, { ...common, creationHash, creationTicket });
        assert.equal(await returnCodeOf(foreign), 'TPM_RC_TICKET');
        const mine = { creationHash: own.creation.hash, creationTicket: own.creation.ticket };
        const { certifyInfo, signature } = await execute(a, tpm2CertifyCreation, { ...common, ...mine });
        const evidence = { attest: certifyInfo, signature: encode(tpmtSignature, signature) };
        const expected = { key: importSigningKey(ak.area.value), nonce: EMPTY, object: own.area };
        verifyCertifyCreation(evidence, expected, own.creation.data.bytes);
        const object = made.area;
        assert.throws(() => verifyCertifyCreation(evidence, { ...expected, object }, made.creation.data.bytes), {
          code: 'attest_name',
        });
      });
    });
  });

  await t.test(
    'a secret for the endorsement key of A is not imported by B, though B has a key of the same template',
    () =>
      withEk(a, (ekA) =>
        withEk(b, async (ekB) => {
          const blob = sealForImport(ekA.area.value, { data: credential }, random);
          const input = { encryptionKey: EMPTY, symmetricAlg: NULL_SYMMETRIC, ...blob };
          const byB = withEkSession(b, ekB, { random }, (session) =>
            execute(b, tpm2Import, { parentHandle: ekB, ...input }, { sessions: [session] }),
          );
          assert.match(await returnCodeOf(byB), /TPM_RC_(INTEGRITY|VALUE|ECC_POINT)/);
          await withEkSession(a, ekA, { random }, (session) =>
            execute(a, tpm2Import, { parentHandle: ekA, ...input }, { sessions: [session] }),
          );
        }),
      ),
  );
});
