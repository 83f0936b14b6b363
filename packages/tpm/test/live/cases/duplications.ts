// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  aesCfb,
  type CommandOutput,
  changedArea,
  createObject,
  createPrimary,
  execute,
  loadObject,
  objectAttributes,
  policyCommandCode,
  sealedTemplate,
  srkTemplate,
  startPolicy,
  TPM_CC,
  TPM_RH,
  type TpmTransport,
  tpm2Duplicate,
  tpm2Import,
  tpm2PolicyCommandCode,
  tpm2Unseal,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, errorCodeOf, NULL_SYMMETRIC, PLAIN, random, returnCodeOf, withSrk } from '../tpm.ts';

export async function duplicationCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test('Duplicate and Import: to another parent, with and without an inner wrapper', () =>
    withSrk(tpm, async (srk) => {
      const authPolicy = policyCommandCode(startPolicy('sha256'), TPM_CC.duplicate).digest;
      const template = changedArea<'keyedhash'>(sealedTemplate(), {
        objectAttributes: objectAttributes('userWithAuth'),
        authPolicy,
      });
      const sealed = await createObject(tpm, srk, { template, data: ascii('moves') }, PLAIN);
      const item = await loadObject(tpm, srk, sealed);
      const parent = await createPrimary(tpm, { template: srkTemplate('ecc'), hierarchy: TPM_RH.endorsement });
      await withFlushed(tpm, parent, async () => {
        const blobs = await withFlushed(tpm, item, async () => {
          const input = { objectHandle: item, newParentHandle: parent, encryptionKeyIn: EMPTY };
          const noPolicy = execute(tpm, tpm2Duplicate, { ...input, symmetricAlg: NULL_SYMMETRIC });
          assert.equal(await returnCodeOf(noPolicy), 'TPM_RC_AUTH_TYPE');
          const drawn = execute(tpm, tpm2Duplicate, { ...input, symmetricAlg: aesCfb(128) });
          assert.equal(await errorCodeOf(drawn), 'secret_in_clear');
          const made: ({ symmetricAlg: typeof NULL_SYMMETRIC | ReturnType<typeof aesCfb> } & CommandOutput<
            typeof tpm2Duplicate
          >)[] = [];
          for (const symmetricAlg of [NULL_SYMMETRIC, aesCfb(128)]) {
            await withSession(tpm, { kind: 'policy', random, salt: parent }, async (session) => {
              await execute(tpm, tpm2PolicyCommandCode, { policySession: session, code: TPM_CC.duplicate });
              const output = await execute(tpm, tpm2Duplicate, { ...input, symmetricAlg }, { sessions: [session] });
              made.push({ symmetricAlg, ...output });
            });
          }
          return made;
        });
        for (const { symmetricAlg, encryptionKeyOut, duplicate, outSymSeed: inSymSeed } of blobs) {
          const input = { parentHandle: parent, encryptionKey: encryptionKeyOut, objectPublic: sealed.area, inSymSeed };
          const { outPrivate } = await execute(tpm, tpm2Import, { ...input, duplicate, symmetricAlg }, PLAIN);
          const moved = await loadObject(tpm, parent, { area: sealed.area, private: outPrivate });
          await withFlushed(tpm, moved, async () => {
            assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: moved }, PLAIN)).outData, ascii('moves'));
          });
          const other = { ...input, parentHandle: srk, duplicate, symmetricAlg };
          assert.match(await returnCodeOf(execute(tpm, tpm2Import, other, PLAIN)), /TPM_RC_(INTEGRITY|VALUE|SIZE)/);
        }
      });
    }),
  );
}
