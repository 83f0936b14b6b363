// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode, u64be } from '@vouchsafe/codec';
import {
  execute,
  nvAttributes,
  nvPublicArea,
  readNv,
  readNvIndex,
  TPM_RH,
  type TpmaNv,
  type TpmTransport,
  tpm2NvDefineSpace,
  tpm2NvExtend,
  tpm2NvIncrement,
  tpm2NvRead,
  tpm2NvReadLock,
  tpm2NvReadPublic,
  tpm2NvSetBits,
  tpm2NvUndefineSpace,
  tpm2NvWrite,
  tpm2NvWriteLock,
  tpmDigest,
  withSession,
} from '@vouchsafe/tpm';
import { EMPTY, errorCodeOf, PLAIN, random, returnCodeOf, withSrk } from '../tpm.ts';

const OWNER = ['ownerWrite', 'ownerRead', 'authWrite', 'authRead', 'noDA'] as const;
const nvIndex = 0x0180_0020;
const owner = { authHandle: TPM_RH.owner, nvIndex } as const;

/** An index for as long as `use` runs. */
async function withIndex(
  tpm: TpmTransport,
  attributes: TpmaNv,
  dataSize: number,
  use: () => Promise<void>,
  auth: Uint8Array = EMPTY,
): Promise<void> {
  const publicInfo = nvPublicArea({ nvIndex, nameAlg: 'sha256', attributes, authPolicy: EMPTY, dataSize });
  await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth, publicInfo }, PLAIN);
  await use();
  await execute(tpm, tpm2NvUndefineSpace, owner);
}

export async function nvCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test('NV_DefineSpace, NV_UndefineSpace, NV_ReadPublic', async () => {
    const attributes = nvAttributes('ordinary', ...OWNER);
    await withIndex(tpm, attributes, 8, async () => {
      const index = await readNvIndex(tpm, nvIndex);
      assert.deepEqual(index.area.value.attributes, attributes);
      const publicInfo = index.area;
      const again = execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
      assert.equal(await returnCodeOf(again), 'TPM_RC_NV_DEFINED');
    });
    assert.equal(await returnCodeOf(execute(tpm, tpm2NvUndefineSpace, owner)), 'TPM_RC_HANDLE');
    assert.equal(await returnCodeOf(execute(tpm, tpm2NvReadPublic, { nvIndex })), 'TPM_RC_HANDLE');
  });

  await t.test('NV_Write, NV_Read: in pieces, by owner, by authValue, and through an encrypted session', async () => {
    const data = random(1500);
    const auth = ascii('nv');
    const use = async (): Promise<void> => {
      for (let offset = 0; offset < data.length; offset += 500) {
        await execute(tpm, tpm2NvWrite, { ...owner, data: data.subarray(offset, offset + 500), offset });
      }
      const index = await readNvIndex(tpm, nvIndex, auth);
      assert.deepEqual(await readNv(tpm, index, TPM_RH.owner), data);
      assert.equal(await errorCodeOf(readNv(tpm, index)), 'secret_in_clear');
      await withSrk(tpm, (srk) =>
        withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
          assert.deepEqual(await readNv(tpm, index, index, { sessions: [session] }), data);
        }),
      );
      const beyond = execute(tpm, tpm2NvRead, { ...owner, size: 2, offset: 1499 });
      assert.equal(await returnCodeOf(beyond), 'TPM_RC_NV_RANGE');
      const outside = execute(tpm, tpm2NvWrite, { ...owner, data: Uint8Array.of(1, 2), offset: 1499 });
      assert.equal(await returnCodeOf(outside), 'TPM_RC_NV_RANGE');
    };
    await withIndex(tpm, nvAttributes('ordinary', ...OWNER), data.length, use, auth);
  });

  await t.test('NV_Increment', () =>
    withIndex(tpm, nvAttributes('counter', ...OWNER), 8, async () => {
      const read = async () => (await execute(tpm, tpm2NvRead, { ...owner, size: 8, offset: 0 })).data;
      await execute(tpm, tpm2NvIncrement, owner);
      const first = new DataView((await read()).slice().buffer).getBigUint64(0);
      await execute(tpm, tpm2NvIncrement, owner);
      assert.deepEqual(await read(), encode(u64be, first + 1n));
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvExtend, { ...owner, data: EMPTY })), 'TPM_RC_ATTRIBUTES');
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvSetBits, { ...owner, bits: 1n })), 'TPM_RC_ATTRIBUTES');
    }),
  );

  await t.test('NV_Extend', () =>
    withIndex(tpm, nvAttributes('extend', ...OWNER), 32, async () => {
      await execute(tpm, tpm2NvExtend, { ...owner, data: ascii('event') });
      const { data } = await execute(tpm, tpm2NvRead, { ...owner, size: 32, offset: 0 });
      assert.deepEqual(data, tpmDigest('sha256', concatBytes(new Uint8Array(32), ascii('event'))));
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvIncrement, owner)), 'TPM_RC_ATTRIBUTES');
    }),
  );

  await t.test('NV_SetBits', () =>
    withIndex(tpm, nvAttributes('bits', ...OWNER), 8, async () => {
      await execute(tpm, tpm2NvSetBits, { ...owner, bits: 0x8000_0000_0000_0001n });
      const { data } = await execute(tpm, tpm2NvRead, { ...owner, size: 8, offset: 0 });
      assert.deepEqual(data, Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 1));
    }),
  );

  await t.test('NV_WriteLock, NV_ReadLock', async () => {
    const locks = nvAttributes('ordinary', ...OWNER, 'writeStClear', 'readStClear');
    await withIndex(tpm, locks, 4, async () => {
      await execute(tpm, tpm2NvWrite, { ...owner, data: ascii('data'), offset: 0 });
      await execute(tpm, tpm2NvWriteLock, owner);
      const write = execute(tpm, tpm2NvWrite, { ...owner, data: ascii('more'), offset: 0 });
      assert.equal(await returnCodeOf(write), 'TPM_RC_NV_LOCKED');
      await execute(tpm, tpm2NvReadLock, owner);
      const read = execute(tpm, tpm2NvRead, { ...owner, size: 4, offset: 0 });
      assert.equal(await returnCodeOf(read), 'TPM_RC_NV_LOCKED');
    });
    await withIndex(tpm, nvAttributes('ordinary', ...OWNER), 4, async () => {
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvWriteLock, owner)), 'TPM_RC_ATTRIBUTES');
      assert.equal(await returnCodeOf(execute(tpm, tpm2NvReadLock, owner)), 'TPM_RC_ATTRIBUTES');
    });
  });
}
