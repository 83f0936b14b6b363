// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { hmac } from '@vouchsafe/crypto';
import {
  changedArea,
  createObject,
  execute,
  loadObject,
  objectAttributes,
  readPcrs,
  sealedTemplate,
  type TpmTransport,
  tpm2EventSequenceComplete,
  tpm2Hash,
  tpm2HashSequenceStart,
  tpm2Hmac,
  tpm2HmacStart,
  tpm2PcrReset,
  tpm2SequenceComplete,
  tpm2SequenceUpdate,
  tpm2Unseal,
  tpmDigest,
  withFlushed,
} from '@vouchsafe/tpm';
import { EMPTY, PLAIN, returnCodeOf, withSrk } from '../tpm.ts';

const NOT_LOADED = 0x8000_0002;
const message = concatBytes(ascii('first'), ascii('second'));

export async function hashCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  await t.test('Hash', async () => {
    for (const hashAlg of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      const { outHash } = await execute(tpm, tpm2Hash, { data: message, hashAlg, hierarchy: 'owner' });
      assert.deepEqual(outHash, tpmDigest(hashAlg, message));
    }
    const unknown = execute(tpm, tpm2Hash, { data: message, hashAlg: 'sm3_256', hierarchy: 'owner' });
    assert.equal(await returnCodeOf(unknown), 'TPM_RC_HASH');
  });

  await t.test('HMAC, HMAC_Start', () =>
    withSrk(tpm, async (srk) => {
      const scheme = { scheme: 'hmac', details: { hashAlg: 'sha256' } } as const;
      const template = changedArea<'keyedhash'>(sealedTemplate(), {
        objectAttributes: objectAttributes('fixedTPM', 'fixedParent', 'userWithAuth', 'signEncrypt'),
        parameters: { scheme },
      });
      const secret = ascii('key of the HMAC');
      const key = await loadObject(tpm, srk, await createObject(tpm, srk, { template, data: secret }, PLAIN));
      await withFlushed(tpm, key, async () => {
        const expected = hmac('sha256', secret, message);
        const { outHMAC } = await execute(tpm, tpm2Hmac, { handle: key, buffer: message, hashAlg: 'null' });
        assert.deepEqual(outHMAC, expected);
        assert.equal(
          await returnCodeOf(execute(tpm, tpm2Hmac, { handle: srk, buffer: message, hashAlg: 'sha256' })),
          'TPM_RC_TYPE',
        );
        const { sequenceHandle } = await execute(tpm, tpm2HmacStart, { handle: key, auth: EMPTY, hashAlg: 'null' });
        const sequence = { handle: sequenceHandle, auth: EMPTY };
        await execute(tpm, tpm2SequenceUpdate, { sequenceHandle: sequence, buffer: ascii('first') });
        const { result } = await execute(tpm, tpm2SequenceComplete, {
          sequenceHandle: sequence,
          buffer: ascii('second'),
          hierarchy: 'null',
        });
        assert.deepEqual(result, expected);
        const other = execute(tpm, tpm2HmacStart, { handle: key, auth: EMPTY, hashAlg: 'sha1' });
        assert.equal(await returnCodeOf(other), 'TPM_RC_VALUE');
        assert.equal(await returnCodeOf(execute(tpm, tpm2Unseal, { itemHandle: key }, PLAIN)), 'TPM_RC_ATTRIBUTES');
      });
    }),
  );

  await t.test('HashSequenceStart, SequenceUpdate, SequenceComplete', async () => {
    const { sequenceHandle } = await execute(
      tpm,
      tpm2HashSequenceStart,
      { auth: ascii('a'), hashAlg: 'sha384' },
      PLAIN,
    );
    const sequence = { handle: sequenceHandle, auth: ascii('a') };
    await execute(tpm, tpm2SequenceUpdate, { sequenceHandle: sequence, buffer: ascii('first') }, PLAIN);
    const last = { sequenceHandle: sequence, buffer: ascii('second'), hierarchy: 'owner' } as const;
    const { result } = await execute(tpm, tpm2SequenceComplete, last, PLAIN);
    assert.deepEqual(result, tpmDigest('sha384', message));
    assert.equal(await returnCodeOf(execute(tpm, tpm2SequenceComplete, last, PLAIN)), 'TPM_RC_REFERENCE_H0');
    const update = execute(tpm, tpm2SequenceUpdate, { sequenceHandle: NOT_LOADED, buffer: EMPTY });
    assert.equal(await returnCodeOf(update), 'TPM_RC_REFERENCE_H0');
    const start = execute(tpm, tpm2HashSequenceStart, { auth: EMPTY, hashAlg: 'sm3_256' });
    assert.equal(await returnCodeOf(start), 'TPM_RC_HASH');
  });

  await t.test('EventSequenceComplete', async () => {
    await execute(tpm, tpm2PcrReset, { pcrHandle: 16 });
    const start = async () =>
      (await execute(tpm, tpm2HashSequenceStart, { auth: EMPTY, hashAlg: 'null' })).sequenceHandle;
    const sequenceHandle = await start();
    await execute(tpm, tpm2SequenceUpdate, { sequenceHandle, buffer: ascii('first') });
    const input = { pcrHandle: 16, sequenceHandle, buffer: ascii('second') };
    const { results } = await execute(tpm, tpm2EventSequenceComplete, input);
    for (const { hashAlg, digest } of results) assert.deepEqual(digest, tpmDigest(hashAlg, message));
    const { values } = await readPcrs(tpm, [{ bank: 'sha256', pcrs: [16] }]);
    const digest = tpmDigest('sha256', message);
    assert.deepEqual(values[0]?.value, tpmDigest('sha256', concatBytes(new Uint8Array(32), digest)));
    const next = await start();
    await withFlushed(tpm, next, async () => {
      const dynamic = execute(tpm, tpm2EventSequenceComplete, { ...input, pcrHandle: 17, sequenceHandle: next });
      assert.equal(await returnCodeOf(dynamic), 'TPM_RC_LOCALITY');
    });
  });
}
