// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, toHex } from '@vouchsafe/base';
import { needsTool } from '@vouchsafe/testing';
import {
  createObject,
  createPrimary,
  execute,
  flush,
  type RandomSource,
  readHandles,
  type SessionOptions,
  sealedTemplate,
  srkTemplate,
  startSession,
  TPM_RH,
  type TpmTransport,
  tpm2GetRandom,
  tpm2NvRead,
  tpm2Unseal,
  withFlushed,
  withSecretSession,
  withSession,
} from '@vouchsafe/tpm';
import { pin, secret, withSealed } from './sealed-item.ts';
import { errorCodeOf, liveTpm, random, returnCodeOf, withSrk } from './tpm.ts';

/** A transport that keeps all that passes, as a probe on the bus would. */
function probed(tpm: TpmTransport): TpmTransport & { sees(bytes: Uint8Array): boolean } {
  let seen = '';
  return {
    async send(command) {
      const response = await tpm.send(command);
      seen += `${toHex(command)} ${toHex(response)} `;
      return response;
    },
    sees: (bytes) => seen.includes(toHex(bytes)),
  };
}

const loaded = async (tpm: TpmTransport): Promise<number[]> => [
  ...(await readHandles(tpm, 'transient')),
  ...(await readHandles(tpm, 'hmacSession')),
];

test(
  'sessions of every kind hide what they should, roll their nonces, and leave nothing behind',
  needsTool('swtpm'),
  async (t) => {
    const { tpm } = await liveTpm(t);

    await t.test('salted to RSA and ECC, bound, both; each hash and each length of AES', async () => {
      for (const kind of ['ecc', 'rsa'] as const) {
        const srk = await createPrimary(tpm, { template: srkTemplate(kind) });
        await withFlushed(tpm, srk, () =>
          withSealed(tpm, srk, async (item) => {
            const common = { kind: 'hmac', random } as const;
            const options: SessionOptions[] = [
              { ...common, salt: srk },
              { ...common, salt: srk, hash: 'sha384', keyBits: 256 },
              { ...common, salt: srk, hash: 'sha1' },
              { ...common, bind: item },
              { ...common, bind: item, salt: srk },
              { ...common, bind: { handle: TPM_RH.owner }, salt: srk },
            ];
            for (const one of options) {
              const bus = probed(tpm);
              await withSession(bus, one, async (session) => {
                for (let i = 0; i < 3; i++) {
                  const { outData } = await execute(bus, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
                  assert.deepEqual(outData, secret);
                }
              });
              assert.ok(!bus.sees(secret) && !bus.sees(pin));
            }
          }),
        );
      }
      assert.deepEqual(await loaded(tpm), []);
    });

    await t.test('a session of its own encrypts beside a password, and beside another session', () =>
      withSrk(tpm, (srk) =>
        withSealed(tpm, srk, (item) =>
          withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
            const withPassword = { sessions: ['password', session], allowPlaintext: true } as const;
            assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: item }, withPassword)).outData, secret);
            await withSession(tpm, { kind: 'hmac', random }, async (plain) => {
              const both = { sessions: [plain, session] };
              for (let i = 0; i < 2; i++) {
                assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: item }, both)).outData, secret);
              }
              const three = { sessions: [plain, session, session, session] };
              assert.equal(
                await errorCodeOf(execute(tpm, tpm2Unseal, { itemHandle: item }, three)),
                'argument_invalid',
              );
            });
          }),
        ),
      ),
    );

    await t.test('a session without salt, or bound to an empty authValue, hides nothing and is not taken to', () =>
      withSrk(tpm, (srk) =>
        withSealed(tpm, srk, async (item) => {
          for (const more of [{}, { bind: { handle: TPM_RH.owner } }]) {
            await withSession(tpm, { kind: 'hmac', random, ...more }, async (session) => {
              assert.equal(session.isSecret, false);
              const run = execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
              assert.equal(await errorCodeOf(run), 'secret_in_clear');
            });
          }
          const sent = createObject(tpm, srk, { template: sealedTemplate(), data: secret });
          assert.equal(await errorCodeOf(sent), 'secret_in_clear');
          const noSecret = await createObject(tpm, srk, { template: srkTemplate('ecc') });
          assert.equal(noSecret.area.value.type, 'ecc');
        }),
      ),
    );

    await t.test('the session for secrets: to a key that is known, silently; to another, with a warning', () =>
      withSrk(tpm, (srk) =>
        withSealed(tpm, srk, async (item) => {
          const warnings: string[] = [];
          const warn = (message: string): void => void warnings.push(message);
          for (const [options, count] of [
            [{ random, warn, saltKey: srk }, 0],
            [{ random, warn }, 1],
          ] as const) {
            const bus = probed(tpm);
            const { outData } = await withSecretSession(bus, options, (session) =>
              execute(bus, tpm2Unseal, { itemHandle: item }, { sessions: [session] }),
            );
            assert.deepEqual(outData, secret);
            assert.ok(!bus.sees(secret) && !bus.sees(pin));
            assert.equal(warnings.length, count);
          }
        }),
      ),
    );

    await t.test('a wrong authValue: the TPM refuses, the session goes on', () =>
      withSrk(tpm, (srk) =>
        withSealed(tpm, srk, (item) =>
          withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
            const wrong = { itemHandle: { ...item, auth: ascii('another PIN') } };
            const run = execute(tpm, tpm2Unseal, wrong, { sessions: [session] });
            assert.equal(await returnCodeOf(run), 'TPM_RC_AUTH_FAIL');
            const { outData } = await execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
            assert.deepEqual(outData, secret);
          }),
        ),
      ),
    );

    await t.test('an end: the TPM drops the session, and it is not used again', () =>
      withSrk(tpm, async (srk) => {
        const session = await startSession(tpm, { kind: 'hmac', random, salt: srk });
        await execute(tpm, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [{ session, end: true }] });
        assert.deepEqual(await readHandles(tpm, 'hmacSession'), []);
        const again = execute(tpm, tpm2GetRandom, { bytesRequested: 8 }, { sessions: [session] });
        assert.equal(await errorCodeOf(again), 'session_closed');
        await flush(tpm, session);
      }),
    );

    await t.test(
      'what is loaded is flushed when the work fails, and the first error is the one that is told',
      async () => {
        const fault = new Error('of the work');
        const run = withSrk(tpm, (srk) =>
          withSession(tpm, { kind: 'hmac', random, salt: srk }, (session) =>
            withFlushed(tpm, session, () => {
              throw fault;
            }),
          ),
        );
        await assert.rejects(run, fault);
        assert.deepEqual(await loaded(tpm), []);
      },
    );

    await t.test('nonces and salts are drawn anew each time', () =>
      withSrk(tpm, async (srk) => {
        const drawn = new Set<string>();
        let draws = 0;
        const counting: RandomSource = (size) => {
          const bytes = random(size);
          drawn.add(toHex(bytes));
          draws++;
          return bytes;
        };
        await withSession(tpm, { kind: 'hmac', random: counting, salt: srk }, async (session) => {
          for (let i = 0; i < 5; i++) await execute(tpm, tpm2GetRandom, { bytesRequested: 4 }, { sessions: [session] });
        });
        assert.equal(draws, 2 + 5);
        assert.equal(drawn.size, draws);
      }),
    );

    await t.test('without the name of an object no session authorizes it', () =>
      withSrk(tpm, async (srk) => {
        await withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
          const nameless = execute(tpm, tpm2Unseal, { itemHandle: srk.handle }, { sessions: [session] });
          assert.equal(await errorCodeOf(nameless), 'argument_invalid');
          const index = { authHandle: TPM_RH.owner, nvIndex: 0x0180_0001, size: 1, offset: 0 };
          assert.equal(await errorCodeOf(execute(tpm, tpm2NvRead, index, { sessions: [session] })), 'argument_invalid');
        });
      }),
    );
  },
);
