// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { needsTool } from '@vouchsafe/testing';
import {
  createPrimary,
  execute,
  flush,
  readHandles,
  srkTemplate,
  startSession,
  TPM_RH,
  type TpmTransport,
  tpm2GetRandom,
  tpm2Unseal,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import { withSealed } from './sealed-item.ts';
import { errorCodeOf, liveTpm, random, returnCodeOf, withSrk } from './tpm.ts';

/** Sits between and changes one answer; what it does to it is `change`. */
function interposer(
  tpm: TpmTransport,
  change: (response: Uint8Array, command: Uint8Array) => Uint8Array,
): TpmTransport {
  return { send: async (command) => change(await tpm.send(command), command) };
}

const commandCode = (command: Uint8Array): number => new DataView(command.buffer, command.byteOffset).getUint32(6);
const GET_RANDOM = 0x17b;
const UNSEAL = 0x15e;

test('whoever sits between the program and the TPM is found out', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);

  await t.test('every octet of an authorized answer, changed: never taken', () =>
    withSrk(tpm, async (srk) => {
      let size = 1;
      for (let at = 0; at < size; at++) {
        const between = interposer(tpm, (response, command) => {
          if (commandCode(command) !== GET_RANDOM) return response;
          size = response.length;
          return response.with(at, (response[at] as number) ^ 0x01);
        });
        const session = await startSession(between, { kind: 'hmac', random, salt: srk });
        const run = execute(between, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [session] });
        // A changed return code is a refusal; a changed size or tag is malformed; all else fails its HMAC.
        await assert.rejects(run, (error) =>
          ['session_hmac', 'response_malformed', 'response_code'].includes((error as { code: string }).code),
        );
        await flush(tpm, session);
      }
      assert.ok(size > 50);
    }),
  );

  await t.test('an answer without authorizations, and an old answer, are not taken', () =>
    withSrk(tpm, async (srk) => {
      let old: Uint8Array | undefined;
      const replaying = interposer(tpm, (response, command) => {
        if (commandCode(command) !== GET_RANDOM) return response;
        old ??= response;
        return old;
      });
      await withSession(replaying, { kind: 'hmac', random, salt: srk }, async (session) => {
        await execute(replaying, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [session] });
        const again = execute(replaying, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [session] });
        assert.equal(await errorCodeOf(again), 'session_hmac');
      });
      const bare = interposer(tpm, (response, command) =>
        commandCode(command) !== GET_RANDOM
          ? response
          : concatBytes(Uint8Array.of(0x80, 1, 0, 0, 0, 20, 0, 0, 0, 0, 0, 8), new Uint8Array(8)),
      );
      await withSession(bare, { kind: 'hmac', random, salt: srk }, async (session) => {
        const run = execute(bare, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [session] });
        assert.equal(await errorCodeOf(run), 'response_malformed');
      });
    }),
  );

  await t.test('an object swapped under the same handle: the name in the HMAC is not its name', () =>
    withSrk(tpm, (srk) =>
      withSealed(tpm, srk, (item) =>
        withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
          // As if the handle that we know had been given to another object.
          const swapped = { ...item, name: srk.name };
          const run = execute(tpm, tpm2Unseal, { itemHandle: swapped }, { sessions: [session] });
          assert.equal(await returnCodeOf(run), 'TPM_RC_AUTH_FAIL');
        }),
      ),
    ),
  );

  await t.test('a salt to a key that the program knows: one who answers in the place of the TPM learns nothing', () =>
    withSrk(tpm, (srk) =>
      withSealed(tpm, srk, async (item) => {
        // The interposer has a key of its own, and starts the session with that in the place of the real one.
        const own = await createPrimary(tpm, { template: srkTemplate('ecc'), hierarchy: TPM_RH.null });
        const swapping: TpmTransport = {
          send: (command) => {
            if (commandCode(command) !== 0x176) return tpm.send(command);
            const view = new DataView(command.slice().buffer);
            view.setUint32(10, own.handle);
            return tpm.send(new Uint8Array(view.buffer));
          },
        };
        await withFlushed(tpm, own, async () => {
          const run = withSession(swapping, { kind: 'hmac', random, salt: srk }, (session) =>
            execute(swapping, tpm2Unseal, { itemHandle: item }, { sessions: [session] }),
          );
          // The other key cannot open the salt, or opens another: either way there is no common key.
          await assert.rejects(run);
        });
      }),
    ),
  );

  await t.test('a changed secret: the HMAC is over what is encrypted', () =>
    withSrk(tpm, (srk) =>
      withSealed(tpm, srk, async (item) => {
        const between = interposer(tpm, (response, command) =>
          commandCode(command) === UNSEAL ? response.with(20, (response[20] as number) ^ 0xff) : response,
        );
        await withSession(between, { kind: 'hmac', random, salt: srk }, async (session) => {
          const run = execute(between, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.equal(await errorCodeOf(run), 'session_hmac');
          const after = execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
          assert.equal(await errorCodeOf(after), 'session_closed');
        });
        assert.deepEqual(await readHandles(tpm, 'hmacSession'), []);
      }),
    ),
  );
});
