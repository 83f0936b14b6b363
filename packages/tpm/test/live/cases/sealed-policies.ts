// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  createObject,
  encodePcrSelection,
  execute,
  loadObject,
  policyAuthValue,
  policyPcr,
  readPcrs,
  sealedTemplate,
  startPolicy,
  type TpmTransport,
  tpm2PcrExtend,
  tpm2PolicyAuthValue,
  tpm2PolicyPassword,
  tpm2PolicyPcr,
  tpm2PolicyRestart,
  tpm2Unseal,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, errorCodeOf, random, returnCodeOf, withSrk } from '../tpm.ts';

const SELECTION = [{ bank: 'sha256', pcrs: [7, 11, 23] }] as const;

export async function sealedPolicyCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  const digest = new Uint8Array(32).fill(0x5a);
  await t.test('a policy opens what is sealed to it: with PCRs and a PIN, by HMAC and as a password', () =>
    withSrk(tpm, async (srk) => {
      const { values } = await readPcrs(tpm, SELECTION);
      const pcrs = SELECTION.map(encodePcrSelection);
      const policy = policyAuthValue(policyPcr(startPolicy('sha256'), SELECTION, values));
      const template = sealedTemplate({ authPolicy: policy.digest });
      const auth = ascii('1234');
      const data = ascii('the key of the disk');
      const salted = { random, salt: srk } as const;
      const sealed = await withSession(tpm, { kind: 'hmac', ...salted }, (session) =>
        createObject(tpm, srk, { template, auth, data }, { sessions: [session] }),
      );
      const item = await loadObject(tpm, srk, sealed, auth);
      await withFlushed(tpm, item, () =>
        withSession(tpm, { kind: 'policy', ...salted }, async (session) => {
          const run = async (command: typeof tpm2PolicyAuthValue | typeof tpm2PolicyPassword): Promise<Uint8Array> => {
            await execute(tpm, tpm2PolicyPcr, { policySession: session, pcrDigest: EMPTY, pcrs });
            await execute(tpm, command, { policySession: session });
            const options = { sessions: [session], allowPlaintext: command === tpm2PolicyPassword };
            return (await execute(tpm, tpm2Unseal, { itemHandle: item }, options)).outData;
          };
          assert.deepEqual(await run(tpm2PolicyAuthValue), data);
          assert.deepEqual(await run(tpm2PolicyPassword), data);
          assert.deepEqual(await run(tpm2PolicyAuthValue), data);
          // The policy is gone with its use.
          const again = execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.equal(await returnCodeOf(again), 'TPM_RC_POLICY_FAIL');
          await execute(tpm, tpm2PolicyRestart, { sessionHandle: session });
          await execute(tpm, tpm2PolicyPcr, { policySession: session, pcrDigest: EMPTY, pcrs });
          await execute(tpm, tpm2PolicyPassword, { policySession: session });
          const clear = execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.equal(await errorCodeOf(clear), 'secret_in_clear');
          // A PCR moves on, and the same policy opens nothing any more.
          await execute(tpm, tpm2PcrExtend, { pcrHandle: 23, digests: [{ hashAlg: 'sha256', digest }] });
          await execute(tpm, tpm2PolicyRestart, { sessionHandle: session });
          assert.equal(await returnCodeOf(run(tpm2PolicyAuthValue)), 'TPM_RC_POLICY_FAIL');
        }),
      );
    }),
  );
}
