// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  createPrimary,
  execute,
  readAlgorithms,
  readBanks,
  readCommands,
  readHandles,
  readIdentity,
  readProperties,
  srkTemplate,
  TPM_CC,
  TPM_RH,
  type TpmTransport,
  tpm2Clear,
  tpm2DictionaryAttackLockReset,
  tpm2DictionaryAttackParameters,
  tpm2GetCapability,
  tpm2GetRandom,
  tpm2HierarchyChangeAuth,
  tpm2ReadClock,
  tpm2SelfTest,
  tpm2Shutdown,
  tpm2StartAuthSession,
  tpm2Startup,
  withFlushed,
  withSession,
} from '@vouchsafe/tpm';
import type { SwtpmControl } from '@vouchsafe/tpm/node';
import { EMPTY, NULL_SYMMETRIC, PLAIN, random, returnCodeOf, withSrk } from '../tpm.ts';

export async function machineCases(t: TestContext, tpm: TpmTransport, control: SwtpmControl): Promise<void> {
  await t.test('GetCapability: what there is, in pieces', async () => {
    const identity = await readIdentity(tpm);
    assert.equal(identity.manufacturer, 'IBM');
    assert.equal(identity.manufacturerName, 'IBM');
    assert.match(identity.revision, /^1\.\d\d$/);
    assert.equal((await readProperties(tpm, 'fixed')).get('pcrCount'), 24);
    assert.equal((await readProperties(tpm, 'variable')).get('lockoutCounter'), 0);
    assert.ok((await readAlgorithms(tpm)).includes('sha256'));
    assert.ok((await readBanks(tpm)).some(({ bank }) => bank === 'sha256'));
    const commands = await readCommands(tpm);
    for (const [name, code] of Object.entries(TPM_CC)) assert.ok(commands.includes(code), name);
    // The same, though the TPM is asked for one at a time.
    const oneByOne: TpmTransport = {
      send: (command) => tpm.send(command.length === 22 ? command.with(20, 0).with(21, 1) : command),
    };
    assert.deepEqual(await readHandles(oneByOne, 'pcr'), await readHandles(tpm, 'pcr'));
    const wrong = execute(tpm, tpm2GetCapability, { capability: 'pcrs', property: 1, propertyCount: 1 });
    assert.equal(await returnCodeOf(wrong), 'TPM_RC_VALUE');
  });

  await t.test('StartAuthSession: with keys that no salt can be sent to', async () => {
    const parameters = {
      nonceCaller: random(32),
      sessionType: 'hmac',
      symmetric: NULL_SYMMETRIC,
      authHash: 'sha256',
    } as const;
    const unsalted = { tpmKey: TPM_RH.null, bind: TPM_RH.null, encryptedSalt: EMPTY };
    const short = { ...unsalted, ...parameters, nonceCaller: random(8) };
    assert.equal(await returnCodeOf(execute(tpm, tpm2StartAuthSession, short)), 'TPM_RC_SIZE');
    await withSrk(tpm, async (srk) => {
      const garbage = { ...unsalted, ...parameters, tpmKey: srk, encryptedSalt: random(40) };
      assert.match(await returnCodeOf(execute(tpm, tpm2StartAuthSession, garbage)), /TPM_RC_/);
    });
  });

  await t.test('HierarchyChangeAuth: the answer is authorized with the new value', () =>
    withSrk(tpm, (srk) =>
      withSession(tpm, { kind: 'hmac', random, salt: srk }, async (session) => {
        const options = { sessions: [session] };
        const owner = (auth: string) => ({ handle: TPM_RH.owner, auth: ascii(auth) });
        await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: TPM_RH.owner, newAuth: ascii('one') }, options);
        const wrong = execute(tpm, tpm2HierarchyChangeAuth, { authHandle: TPM_RH.owner, newAuth: EMPTY }, options);
        assert.equal(await returnCodeOf(wrong), 'TPM_RC_BAD_AUTH');
        const key = await createPrimary(tpm, { template: srkTemplate('ecc'), hierarchy: owner('one') }, options);
        await withFlushed(tpm, key, async () => {});
        await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: owner('one'), newAuth: ascii('two') }, options);
        await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: owner('two'), newAuth: EMPTY }, options);
        // A session that is bound to the hierarchy: its key has the old value, the answer is authorized with the new.
        await withSession(tpm, { kind: 'hmac', random, salt: srk, bind: { handle: TPM_RH.owner } }, async (bound) => {
          const sessions = [bound];
          await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: TPM_RH.owner, newAuth: ascii('x') }, { sessions });
          await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: owner('x'), newAuth: EMPTY }, { sessions });
        });
      }),
    ),
  );

  await t.test('DictionaryAttackLockReset, DictionaryAttackParameters', async () => {
    const parameters = { newMaxTries: 7, newRecoveryTime: 600, lockoutRecovery: 0 };
    await execute(tpm, tpm2DictionaryAttackParameters, { lockHandle: TPM_RH.lockout, ...parameters });
    assert.equal((await readProperties(tpm, 'variable')).get('maxAuthFail'), 7);
    await execute(tpm, tpm2DictionaryAttackLockReset, { lockHandle: TPM_RH.lockout });
    const owner = execute(tpm, tpm2DictionaryAttackLockReset, { lockHandle: TPM_RH.owner });
    assert.equal(await returnCodeOf(owner), 'TPM_RC_VALUE');
    const byOwner = execute(tpm, tpm2DictionaryAttackParameters, { lockHandle: TPM_RH.owner, ...parameters });
    assert.equal(await returnCodeOf(byOwner), 'TPM_RC_VALUE');
  });

  await t.test('ReadClock, GetRandom, SelfTest, Startup, Shutdown, Clear', async () => {
    const { currentTime } = await execute(tpm, tpm2ReadClock, {});
    const { randomBytes } = await execute(tpm, tpm2GetRandom, { bytesRequested: 16 });
    assert.equal(randomBytes.length, 16);
    await execute(tpm, tpm2SelfTest, { fullTest: true });
    await execute(tpm, tpm2Shutdown, { shutdownType: 'clear' });
    await control.stop();
    await control.init();
    assert.equal(await returnCodeOf(execute(tpm, tpm2ReadClock, {})), 'TPM_RC_INITIALIZE');
    assert.equal(await returnCodeOf(execute(tpm, tpm2GetRandom, { bytesRequested: 1 })), 'TPM_RC_INITIALIZE');
    assert.equal(await returnCodeOf(execute(tpm, tpm2SelfTest, { fullTest: false })), 'TPM_RC_INITIALIZE');
    assert.equal(await returnCodeOf(execute(tpm, tpm2Shutdown, { shutdownType: 'state' })), 'TPM_RC_INITIALIZE');
    assert.equal(await returnCodeOf(execute(tpm, tpm2Startup, { startupType: 'state' })), 'TPM_RC_VALUE');
    await execute(tpm, tpm2Startup, { startupType: 'clear' });
    assert.equal(await returnCodeOf(execute(tpm, tpm2Startup, { startupType: 'clear' })), 'TPM_RC_INITIALIZE');
    const later = (await execute(tpm, tpm2ReadClock, {})).currentTime.clockInfo;
    assert.equal(later.resetCount, currentTime.clockInfo.resetCount + 1);
    assert.equal(await returnCodeOf(execute(tpm, tpm2Clear, { authHandle: TPM_RH.owner })), 'TPM_RC_VALUE');
    const lockout = { handle: TPM_RH.lockout, auth: ascii('lock') };
    const newAuth = ascii('lock');
    await execute(tpm, tpm2HierarchyChangeAuth, { authHandle: TPM_RH.lockout, newAuth }, PLAIN);
    // Clear takes the storage root key with it, so that there is nothing to flush; its answer is authorized with the
    // authValue that is left: none.
    const salt = await createPrimary(tpm, { template: srkTemplate('ecc') });
    await withSession(tpm, { kind: 'hmac', random, salt }, (session) =>
      execute(tpm, tpm2Clear, { authHandle: lockout }, { sessions: [session] }),
    );
    await execute(tpm, tpm2DictionaryAttackLockReset, { lockHandle: TPM_RH.lockout });
  });
}
