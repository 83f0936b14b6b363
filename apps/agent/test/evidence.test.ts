// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeImaList } from '@vouchsafe/eventlog';
import type { Evidence } from '@vouchsafe/protocol';
import { execute, tpm2PcrExtend } from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { testAuthority } from './support/test-authority.ts';
import {
  BOOT_ID,
  FIRMWARE_LOG,
  IMA_LIST,
  NEEDS_TPM,
  type TestMachine,
  testMachine,
  USERSPACE_LOG,
} from './support/test-machine.ts';
import { TestService } from './support/test-service.ts';

const IMA = readFileSync(new URL('../../../packages/eventlog/testdata/ima/templates.bin', import.meta.url));
const BORDERS = decodeImaList(IMA).map(({ endOffset }) => endOffset);
const part = (from: number, to?: number): string => IMA.subarray(from, to).toString('base64url');

async function enrolled(t: Parameters<typeof testMachine>[0], machine: TestMachine) {
  const service = await TestService.start(await testAuthority('CA'), { secrets: { disk: 'key' } });
  t.after(() => service.stop());
  const agent = machine.agent();
  t.after(() => agent.close());
  const server = { url: service.url, caSha256: service.caSha256 };
  await agent.join({ server, joining: { kind: 'token', token: 'token-for-one-machine' } });
  const sent = (): Evidence => service.exchanges.at(-1)?.body as Evidence;
  return { service, agent, sent };
}

test('evidence is what the challenge asks for, and no more', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  machine.put(IMA_LIST, IMA);
  machine.put(USERSPACE_LOG, 'userspace');
  const { service, agent, sent } = await enrolled(t, machine);
  const firmware = new TextEncoder().encode('a firmware log');
  const sha256 = toHex(digest('sha256', firmware));
  service.options.wanted = { userspace: true, imaOffset: 0 };
  await agent.attest();
  assert.deepEqual(Object.keys(sent()), ['nonce', 'quote', 'pcrs', 'logs', 'keys']);
  assert.deepEqual(sent().logs, {
    firmware: { sha256, bytes: Buffer.from(firmware).toString('base64url') },
    userspace: Buffer.from('userspace').toString('base64url'),
    ima: { offset: 0, bytes: part(0) },
  });
  assert.deepEqual(
    sent().pcrs.map(({ bank, pcr }) => [bank, pcr]),
    [0, 4, 7, 10, 11].map((pcr) => ['sha256', pcr]),
  );

  // The next challenge came with that answer; the one after it names what is held.
  service.options.wanted = { firmwareSha256: sha256, userspace: false };
  await agent.attest();
  await agent.attest();
  assert.deepEqual(Object.keys(sent()), ['nonce', 'quote', 'pcrs', 'logs']);
  assert.deepEqual(sent().logs, { firmware: { sha256 } });
  assert.equal(service.exchanges.filter(({ path }) => path.endsWith('challenges')).length, 1);

  // A service that has lost the log asks for it by refusing; it gets it with a new quote.
  let refusals = 1;
  service.options.instead = ({ path }) =>
    path.endsWith('evidence') && refusals-- > 0
      ? { status: 409, body: { type: 'urn:log_wanted', title: 'log_wanted', status: 409, code: 'log_wanted' } }
      : undefined;
  await agent.attest();
  assert.equal(sent().logs.firmware.bytes, Buffer.from(firmware).toString('base64url'));
});

test(
  'A39: the list goes on where the service has it, at an entry, and begins anew after a new start',
  NEEDS_TPM,
  async (t) => {
    const machine = await testMachine(t);
    machine.put(IMA_LIST, IMA.subarray(0, BORDERS[1]));
    const { service, agent, sent } = await enrolled(t, machine);
    const imaAfter = async (imaOffset: number) => {
      service.options.wanted = { userspace: false, imaOffset };
      // The challenge that is kept was made before.
      await agent.attest({ secrets: ['disk'] });
      return sent().logs.ima;
    };
    assert.deepEqual(await imaAfter(0), { offset: 0, bytes: part(0, BORDERS[1]) });
    machine.put(IMA_LIST, IMA);
    const [first = 0, second = 0] = BORDERS;
    assert.deepEqual(await imaAfter(second), { offset: second, bytes: part(second) });
    assert.deepEqual(await imaAfter(IMA.length), { offset: IMA.length, bytes: '' });
    // Inside an entry, and beyond the list: it is not this list that is meant.
    assert.deepEqual(await imaAfter(first + 3), { offset: 0, bytes: part(0) });
    assert.deepEqual(await imaAfter(IMA.length + 1), { offset: 0, bytes: part(0) });
    // An entry that is being written is not sent in part.
    machine.put(IMA_LIST, IMA.subarray(0, second + 9));
    assert.deepEqual(await imaAfter(first), { offset: first, bytes: part(first, second) });
    // After a new start the offset is of another list, though an entry begins there in this one too.
    machine.put(IMA_LIST, IMA);
    machine.put(USERSPACE_LOG, 'userspace');
    machine.put(BOOT_ID, '99999999-2222-4333-8444-555555555555\n');
    assert.deepEqual(await imaAfter(second), { offset: 0, bytes: part(0) });
    assert.equal(sent().logs.userspace, Buffer.from('userspace').toString('base64url'));
    assert.deepEqual(await imaAfter(second), { offset: second, bytes: part(second) });
    assert.equal(sent().logs.userspace, undefined);
  },
);

test('a machine without a firmware log says where one should be', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const { agent } = await enrolled(t, machine);
  const { linuxLogs, Agent, folderStore, StateFolder } = await import('@vouchsafe/agent');
  const logs = { ...linuxLogs(machine.root), readFirmware: () => undefined };
  const without = new Agent({ store: folderStore(StateFolder.open(machine.statePath)), tpm: machine.tpm, logs });
  t.after(() => without.close());
  await assert.rejects(without.attest(), { code: 'log_missing' });
  machine.put(FIRMWARE_LOG, 'another log');
  assert.equal((await agent.attest()).verdict.isTrusted, true);
});

test(
  'A46: keys are certified over the nonce of the challenge, and those of another TPM are not taken',
  NEEDS_TPM,
  async (t) => {
    const [machine, relayed] = [await testMachine(t), await testMachine(t)];
    const { service, agent, sent } = await enrolled(t, machine);
    await agent.attest();
    const { nonce, keys } = sent();
    for (const certified of [keys?.client, keys?.decryption]) {
      assert.ok(Buffer.from(certified?.attest ?? '', 'base64url').includes(Buffer.from(nonce, 'base64url')));
    }
    // A machine in between offers its own keys, with certifications by its own attestation key, beside a quote that is real.
    const state = agent.state ?? assert.fail();
    const strangersKeys = await relayed.tpm.createKeys();
    const tpm: typeof machine.tpm = {
      ...machine.tpm,
      attest: async (own, challengeNonce, selection, certifies) => ({
        ...(await machine.tpm.attest(own, challengeNonce, selection, false)),
        ...(certifies
          ? { keys: (await relayed.tpm.attest(strangersKeys, challengeNonce, selection, true)).keys ?? {} }
          : {}),
      }),
    };
    const store = { read: () => state, write: () => {} };
    const between = machine.agent({ tpm, store });
    t.after(() => between.close());
    await assert.rejects(between.attest({ certifiesKeys: true }), {
      problem: { status: 422, code: 'key_uncertified' },
    });
    // And its own quote in the name of the machine is nobody's.
    const imposter = relayed.agent({ store: { read: () => ({ ...state, keys: strangersKeys }), write: () => {} } });
    t.after(() => imposter.close());
    await assert.rejects(imposter.attest(), { problem: { status: 422, code: 'signature_invalid' } });
    assert.ok(service.machines.get('machine-1')?.certificate);
  },
);

test('PCRs that are extended between the quote and their reading are quoted again', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const { localTpm } = await import('@vouchsafe/agent');
  let extends_ = 0;
  const busy = localTpm(async () => {
    const tpm = await openSwtpm({ path: machine.swtpm.path });
    return {
      close: () => tpm.close(),
      send: async (command) => {
        const answer = await tpm.send(command);
        // TPM2_Quote is 0x158: what follows it is not what it was.
        if (Buffer.from(command).readUInt32BE(6) === 0x158 && extends_++ < 2) {
          const value = { hashAlg: 'sha256' as const, digest: new Uint8Array(32).fill(extends_) };
          await execute(tpm, tpm2PcrExtend, { pcrHandle: 10, digests: [value] });
        }
        return answer;
      },
    };
  });
  const keys = await busy.createKeys();
  const { pcrs } = await busy.attest(keys, new Uint8Array(32), [{ bank: 'sha256', pcrs: [7, 10] }], false);
  assert.equal(extends_, 3);
  assert.notEqual(pcrs[1]?.value, Buffer.alloc(32).toString('base64url'));
});
