// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import { needsTool } from '@vouchsafe/testing';
import {
  createObject,
  createPrimary,
  execute,
  loadObject,
  sealedTemplate,
  srkTemplate,
  tpm2Unseal,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { errorCodeOf, liveTpm, PLAIN, random, returnCodeOf } from './tpm.ts';

test('seal and unseal through a salted session', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);
  for (const kind of ['ecc', 'rsa'] as const) {
    const srk = await createPrimary(tpm, { template: srkTemplate(kind) });
    await withFlushed(tpm, srk, () =>
      withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
        const data = ascii('a secret');
        const auth = ascii('1234');
        const sealed = await createObject(
          tpm,
          srk,
          { template: sealedTemplate(), auth, data },
          { sessions: [session] },
        );
        const item = await loadObject(tpm, srk, sealed, auth, { sessions: [session] });
        await withFlushed(tpm, item, async () => {
          const { outData } = await execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.deepEqual(outData, data);
          assert.equal(await errorCodeOf(execute(tpm, tpm2Unseal, { itemHandle: item })), 'secret_in_clear');
          assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: item }, PLAIN)).outData, data);
          const wrong = { ...item, auth: ascii('1235') };
          const run = execute(tpm, tpm2Unseal, { itemHandle: wrong }, { sessions: [session] });
          assert.equal(await returnCodeOf(run), 'TPM_RC_AUTH_FAIL');
          const again = await execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.deepEqual(again.outData, data);
        });
      }),
    );
  }
});
