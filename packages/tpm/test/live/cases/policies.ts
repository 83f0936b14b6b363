// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import {
  type AuthSession,
  encodePcrSelection,
  execute,
  nvAttributes,
  nvPublicArea,
  type Policy,
  policyAuthorizeNv,
  policyAuthValue,
  policyCommandCode,
  policyCounterTimer,
  policyCpHash,
  policyDuplicationSelect,
  policyLocality,
  policyNameHash,
  policyNv,
  policyNvWritten,
  policyOr,
  policyPassword,
  policyPcr,
  policyPhysicalPresence,
  policySecret,
  policyTemplate,
  readNvIndex,
  readPcrs,
  startPolicy,
  TPM_CC,
  TPM_RH,
  type TpmTransport,
  tpm2NvDefineSpace,
  tpm2NvWrite,
  tpm2PcrExtend,
  tpm2PolicyAuthorizeNv,
  tpm2PolicyAuthValue,
  tpm2PolicyCommandCode,
  tpm2PolicyCounterTimer,
  tpm2PolicyCpHash,
  tpm2PolicyDuplicationSelect,
  tpm2PolicyGetDigest,
  tpm2PolicyLocality,
  tpm2PolicyNameHash,
  tpm2PolicyNv,
  tpm2PolicyNvWritten,
  tpm2PolicyOr,
  tpm2PolicyPassword,
  tpm2PolicyPcr,
  tpm2PolicyPhysicalPresence,
  tpm2PolicyRestart,
  tpm2PolicySecret,
  tpm2PolicyTemplate,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, PLAIN, random, returnCodeOf } from '../tpm.ts';

const SELECTION = [{ bank: 'sha256', pcrs: [7, 11, 23] }] as const;
const OWNER = encode(u32be, TPM_RH.owner);

export async function policyCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  const digest = new Uint8Array(32).fill(0x5a);
  const trial = async (
    kind: 'trial' | 'policy',
    run: (session: AuthSession) => Promise<unknown>,
    expected: (empty: Policy) => Policy,
  ): Promise<void> => {
    await withSession(tpm, { kind, random }, async (session) => {
      await run(session);
      const { policyDigest } = await execute(tpm, tpm2PolicyGetDigest, { policySession: session });
      assert.deepEqual(policyDigest, expected(startPolicy('sha256')).digest);
      await execute(tpm, tpm2PolicyRestart, { sessionHandle: session });
      const restarted = await execute(tpm, tpm2PolicyGetDigest, { policySession: session });
      assert.deepEqual(restarted.policyDigest, new Uint8Array(32));
    });
  };
  /** The code of the error in a policy session, which a trial session would not check. */
  const refused = (run: (session: AuthSession) => Promise<unknown>): Promise<string> =>
    withSession(tpm, { kind: 'policy', random }, (session) => returnCodeOf(run(session)));

  await t.test('PCR', async () => {
    await execute(tpm, tpm2PcrExtend, { pcrHandle: 23, digests: [{ hashAlg: 'sha256', digest }] });
    const { values } = await readPcrs(tpm, SELECTION);
    const pcrs = SELECTION.map(encodePcrSelection);
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyPcr, { policySession, pcrDigest: EMPTY, pcrs }),
      (policy) => policyPcr(policy, SELECTION, values),
    );
    const wrong = refused((policySession) => execute(tpm, tpm2PolicyPcr, { policySession, pcrDigest: digest, pcrs }));
    assert.equal(await wrong, 'TPM_RC_VALUE');
  });

  await t.test('OR', async () => {
    const branches = [digest, new Uint8Array(32)];
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyOr, { policySession, pHashList: branches }),
      (policy) => policyOr(policy, branches),
    );
    const others = [digest, digest];
    const wrong = refused((policySession) => execute(tpm, tpm2PolicyOr, { policySession, pHashList: others }));
    assert.equal(await wrong, 'TPM_RC_VALUE');
  });

  const secret = { nonceTPM: EMPTY, cpHashA: EMPTY, policyRef: ascii('ref'), expiration: 0 };
  await t.test('Secret', async () => {
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicySecret, { authHandle: TPM_RH.owner, policySession, ...secret }),
      (policy) => policySecret(policy, OWNER, ascii('ref')),
    );
    // A negative expiration asks for a ticket, which a later session takes in place of the authValue.
    const withTicket = await withSession(tpm, { kind: 'policy', random }, (policySession) => {
      const nonceTPM = policySession.nonceTpm;
      const input = { authHandle: TPM_RH.owner, policySession, ...secret, nonceTPM, expiration: -60 };
      return execute(tpm, tpm2PolicySecret, input);
    });
    assert.ok(withTicket.policyTicket.tag === 'authSecret' && withTicket.timeout.length > 0);
    const authHandle = { handle: TPM_RH.owner, auth: ascii('wrong') };
    const run = refused((policySession) =>
      execute(tpm, tpm2PolicySecret, { authHandle, policySession, ...secret }, PLAIN),
    );
    assert.equal(await run, 'TPM_RC_BAD_AUTH');
  });

  await t.test('AuthValue and Password', async () => {
    await trial('policy', (policySession) => execute(tpm, tpm2PolicyAuthValue, { policySession }), policyAuthValue);
    await trial('policy', (policySession) => execute(tpm, tpm2PolicyPassword, { policySession }), policyPassword);
    const hmac = (command: typeof tpm2PolicyAuthValue | typeof tpm2PolicyPassword): Promise<string> =>
      withSession(tpm, { kind: 'hmac', random }, (policySession) =>
        returnCodeOf(execute(tpm, command, { policySession })),
      );
    assert.equal(await hmac(tpm2PolicyAuthValue), 'TPM_RC_VALUE');
    assert.equal(await hmac(tpm2PolicyPassword), 'TPM_RC_VALUE');
  });

  await t.test('CommandCode', async () => {
    const code = TPM_CC.unseal;
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyCommandCode, { policySession, code }),
      (policy) => policyCommandCode(policy, code),
    );
    const wrong = refused((policySession) => execute(tpm, tpm2PolicyCommandCode, { policySession, code: 0x7fff }));
    assert.equal(await wrong, 'TPM_RC_POLICY_CC');
  });

  await t.test('CounterTimer', async () => {
    const comparison = { operandB: new Uint8Array(8), offset: 0, operation: 'unsignedGe' } as const;
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyCounterTimer, { policySession, ...comparison }),
      (policy) => policyCounterTimer(policy, comparison),
    );
    const never = { ...comparison, operation: 'unsignedLt' } as const;
    const wrong = refused((policySession) => execute(tpm, tpm2PolicyCounterTimer, { policySession, ...never }));
    assert.equal(await wrong, 'TPM_RC_POLICY');
  });

  await t.test('Locality, PhysicalPresence, NameHash, CpHash, Template', async () => {
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyLocality, { policySession, locality: 0x10 }),
      (policy) => policyLocality(policy, 0x10),
    );
    await trial(
      'trial',
      (policySession) => execute(tpm, tpm2PolicyPhysicalPresence, { policySession }),
      policyPhysicalPresence,
    );
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyNameHash, { policySession, nameHash: digest }),
      (policy) => policyNameHash(policy, digest),
    );
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyCpHash, { policySession, cpHashA: digest }),
      (policy) => policyCpHash(policy, digest),
    );
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyTemplate, { policySession, templateHash: digest }),
      (policy) => policyTemplate(policy, digest),
    );
    for (const second of [
      (policySession: AuthSession) => execute(tpm, tpm2PolicyCpHash, { policySession, cpHashA: digest }),
      (policySession: AuthSession) => execute(tpm, tpm2PolicyTemplate, { policySession, templateHash: digest }),
    ]) {
      const both = refused(async (policySession) => {
        await execute(tpm, tpm2PolicyNameHash, { policySession, nameHash: digest });
        await second(policySession);
      });
      assert.equal(await both, 'TPM_RC_CPHASH');
    }
    const nowhere = refused((policySession) => execute(tpm, tpm2PolicyLocality, { policySession, locality: 0 }));
    assert.equal(await nowhere, 'TPM_RC_RANGE');
    const hmac = withSession(tpm, { kind: 'hmac', random }, (policySession) =>
      returnCodeOf(execute(tpm, tpm2PolicyPhysicalPresence, { policySession })),
    );
    assert.equal(await hmac, 'TPM_RC_VALUE');
    const twice = refused(async (policySession) => {
      await execute(tpm, tpm2PolicyNameHash, { policySession, nameHash: digest });
      await execute(tpm, tpm2PolicyNameHash, { policySession, nameHash: new Uint8Array(32) });
    });
    assert.equal(await twice, 'TPM_RC_CPHASH');
  });

  await t.test('DuplicationSelect', async () => {
    const name = concatBytes(Uint8Array.of(0, 0xb), digest);
    const parent = concatBytes(Uint8Array.of(0, 0xb), new Uint8Array(32).fill(9));
    for (const includeObject of [true, false]) {
      const input = { objectName: name, newParentName: parent, includeObject };
      await trial(
        'policy',
        (policySession) => execute(tpm, tpm2PolicyDuplicationSelect, { policySession, ...input }),
        (policy) => policyDuplicationSelect(policy, parent, includeObject ? name : undefined),
      );
    }
    const wrong = refused(async (policySession) => {
      await execute(tpm, tpm2PolicyNameHash, { policySession, nameHash: digest });
      const input = { objectName: name, newParentName: parent, includeObject: true };
      await execute(tpm, tpm2PolicyDuplicationSelect, { policySession, ...input });
    });
    assert.equal(await wrong, 'TPM_RC_CPHASH');
  });

  await t.test('NV, NvWritten, AuthorizeNV', async () => {
    const nvIndex = 0x0180_0001;
    const attributes = nvAttributes('ordinary', 'ownerWrite', 'ownerRead', 'authRead', 'noDA');
    const publicInfo = nvPublicArea({ nvIndex, nameAlg: 'sha256', attributes, authPolicy: EMPTY, dataSize: 34 });
    await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
    const never = refused((policySession) =>
      execute(tpm, tpm2PolicyNvWritten, { policySession, writtenSet: true }).then(async () => {
        const index = await readNvIndex(tpm, nvIndex);
        const comparison = { operandB: EMPTY, offset: 0, operation: 'eq' } as const;
        await execute(tpm, tpm2PolicyNv, { authHandle: index, nvIndex: index, policySession, ...comparison });
      }),
    );
    assert.equal(await never, 'TPM_RC_NV_UNINITIALIZED');
    const empty = startPolicy('sha256').digest;
    const data = concatBytes(Uint8Array.of(0, 0xb), empty);
    await execute(tpm, tpm2NvWrite, { authHandle: TPM_RH.owner, nvIndex, data, offset: 0 });
    const index = await readNvIndex(tpm, nvIndex);
    const comparison = { operandB: Uint8Array.of(0, 0xb), offset: 0, operation: 'eq' } as const;
    await trial(
      'policy',
      (policySession) =>
        execute(tpm, tpm2PolicyNv, { authHandle: index, nvIndex: index, policySession, ...comparison }),
      (policy) => policyNv(policy, index.name, comparison),
    );
    const other = { ...comparison, operation: 'neq' } as const;
    const wrong = refused((policySession) =>
      execute(tpm, tpm2PolicyNv, { authHandle: index, nvIndex: index, policySession, ...other }),
    );
    assert.equal(await wrong, 'TPM_RC_POLICY');
    for (const writtenSet of [true, false]) {
      await trial(
        'policy',
        (policySession) => execute(tpm, tpm2PolicyNvWritten, { policySession, writtenSet }),
        (policy) => policyNvWritten(policy, writtenSet),
      );
    }
    const both = refused(async (policySession) => {
      await execute(tpm, tpm2PolicyNvWritten, { policySession, writtenSet: true });
      await execute(tpm, tpm2PolicyNvWritten, { policySession, writtenSet: false });
    });
    assert.equal(await both, 'TPM_RC_VALUE');
    await trial(
      'policy',
      (policySession) => execute(tpm, tpm2PolicyAuthorizeNv, { authHandle: index, nvIndex: index, policySession }),
      (policy) => policyAuthorizeNv(policy, index.name),
    );
    const notThat = refused(async (policySession) => {
      await execute(tpm, tpm2PolicyAuthValue, { policySession });
      await execute(tpm, tpm2PolicyAuthorizeNv, { authHandle: index, nvIndex: index, policySession });
    });
    assert.equal(await notThat, 'TPM_RC_VALUE');
  });

  await t.test('PolicyGetDigest and PolicyRestart of no policy', async () => {
    const policySession = 0x0300_003f;
    assert.equal(await returnCodeOf(execute(tpm, tpm2PolicyGetDigest, { policySession })), 'TPM_RC_REFERENCE_H0');
    const restart = execute(tpm, tpm2PolicyRestart, { sessionHandle: policySession });
    assert.equal(await returnCodeOf(restart), 'TPM_RC_REFERENCE_H0');
  });
}
