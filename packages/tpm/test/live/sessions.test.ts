// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, concatBytes, toHex } from '@vouchsafe/base';
import { needsTool } from '@vouchsafe/testing';
import {
  createObject,
  createPrimary,
  execute,
  flush,
  type LoadedObject,
  loadObject,
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
import { errorCodeOf, liveTpm, PLAIN, random, returnCodeOf, withSrk } from './tpm.ts';

const secret = ascii('a secret that nobody reads on the bus');
const pin = ascii('a long PIN');

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

async function withSealed<T>(
  tpm: TpmTransport,
  srk: LoadedObject,
  use: (item: LoadedObject) => Promise<T>,
): Promise<T> {
  const options = { template: sealedTemplate(), auth: pin, data: secret };
  const sealed = await createObject(tpm, srk, options, PLAIN);
  const item = await loadObject(tpm, srk, sealed, pin);
  return withFlushed(tpm, item, () => use(item));
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
