// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderStore, type JoinOptions, StateFolder } from '@vouchsafe/agent';
import { encodeBase64url } from '@vouchsafe/protocol';
import { tempDir } from '@vouchsafe/testing';
import { testAuthority } from './support/test-authority.ts';
import { NEEDS_TPM, testMachine } from './support/test-machine.ts';
import { TestService, type TestServiceOptions } from './support/test-service.ts';

const TOKEN = 'token-for-one-machine';

async function scene(t: Parameters<typeof testMachine>[0], options: TestServiceOptions = {}) {
  const service = await TestService.start(await testAuthority('CA'), options);
  t.after(() => service.stop());
  const server = { url: service.url, caSha256: service.caSha256 };
  const join_: JoinOptions = { server, joining: { kind: 'token', token: TOKEN } };
  return { service, join: join_ };
}

const paths = ({ exchanges }: TestService): string[] =>
  exchanges.map(({ path }) => path.replace(/enrolments\/[^/]+/, 'enrolments/ID'));

test(
  'an enrolment that is broken off goes on with the same keys, the same request and one token',
  NEEDS_TPM,
  async (t) => {
    const machine = await testMachine(t);
    const { service, join: options } = await scene(t);
    // Everything breaks once: before the request, before the proof, after the proof.
    let proofs = 0;
    service.options.instead = ({ path }) => {
      if (path === '/v1/enrolments' && service.exchanges.length === 1) return 'hang up';
      if (path.endsWith('/proof')) proofs += 1;
      // A connection that was kept and breaks is tried once more by itself.
      return path.endsWith('/proof') && proofs <= 2 ? 'hang up' : undefined;
    };
    await assert.rejects(machine.agent().join(options), { code: 'server_unreachable' });
    const first = machine.agent().state;
    assert.deepEqual(
      [first?.enrolment.state, first?.enrolment.state === 'pending' && first.enrolment.challenge],
      ['pending', undefined],
    );
    // Another process each time, as after a crash.
    await assert.rejects(machine.agent().continueEnrolment(), { code: 'server_unreachable' });
    await assert.rejects(machine.agent().attest(), { code: 'not_enrolled' });
    const outcome = await machine.agent().join(options);
    assert.equal(outcome.state, 'enrolled');
    assert.deepEqual(paths(service), [
      '/v1/enrolments',
      '/v1/enrolments',
      '/v1/enrolments/ID/proof',
      '/v1/enrolments/ID/proof',
      '/v1/enrolments/ID/proof',
    ]);
    assert.equal(new Set(service.exchanges.slice(2).map(({ path }) => path)).size, 1);
    assert.deepEqual(machine.agent().state?.keys, first?.keys);
    // And it is done: whoever asks again is told so, and nothing is sent.
    await assert.rejects(machine.agent().join(options), { code: 'already_enrolled' });
    assert.equal((await machine.agent().continueEnrolment()).state, 'enrolled');
    assert.equal(service.exchanges.length, 5);
  },
);

test('a request that the service has forgotten is made anew, once', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const { service, join: options } = await scene(t);
  service.options.instead = ({ path }) => (path.endsWith('/proof') ? 'hang up' : undefined);
  await assert.rejects(machine.agent().join(options), { code: 'server_unreachable' });
  let gone = 1;
  service.options.instead = ({ path }) =>
    path.endsWith('/proof') && gone-- > 0 ? { status: 410, body: problem(410, 'enrolment_expired') } : undefined;
  assert.equal((await machine.agent().continueEnrolment()).state, 'enrolled');
  assert.deepEqual(paths(service).slice(-3), ['/v1/enrolments/ID/proof', '/v1/enrolments', '/v1/enrolments/ID/proof']);
});

const problem = (status: number, code: string) => ({ type: `urn:${code}`, title: code, status, code });

test('a token that is not taken is an answer, and an operator may have to be waited for', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const { service, join: options } = await scene(t, { approvalsAfter: 1 });
  const wrong = { ...options, joining: { kind: 'token' as const, token: 'another-token-than-that' } };
  await assert.rejects(machine.agent().join(wrong), (error: { code?: string; problem?: unknown }) => {
    assert.deepEqual([error.code, error.problem], ['server_refused', { status: 403, code: 'token_refused' }]);
    return true;
  });
  const agent = machine.agent();
  assert.deepEqual(await agent.join({ ...options, joining: { kind: 'approval' } }), {
    state: 'awaiting-approval',
    askAgainAfterMs: 10,
  });
  assert.equal(existsSync(join(machine.statePath, 'client.key')), false);
  assert.equal((await agent.continueEnrolment()).state, 'enrolled');
  assert.equal(service.machines.size, 1);
});

test(
  'A30, A34: a credential for another attestation key or another TPM does not open, and nothing is proved',
  NEEDS_TPM,
  async (t) => {
    const [machine, stranger] = [await testMachine(t), await testMachine(t)];
    const { service, join: options } = await scene(t);
    const strangersKeys = await stranger.tpm.createKeys();
    const strangersEk = await stranger.tpm.readEndorsement();
    // The service is led to make its riddle for keys that are not together in one TPM.
    for (const replaced of [
      { attestationKey: strangersKeys.attestation.publicArea },
      { endorsement: { publicArea: strangersEk.publicArea, certificates: strangersEk.certificates } },
    ]) {
      service.options.rewrite = (body) => ({ ...body, ...replaced });
      await assert.rejects(machine.agent().join(options), { code: 'credential_refused' }, Object.keys(replaced)[0]);
      assert.ok(paths(service).every((path) => !path.endsWith('proof')));
    }
    // One that was made for this machine, and is shown to the other: neither key is there.
    delete service.options.rewrite;
    service.options.instead = ({ path }) => (path.endsWith('/proof') ? 'hang up' : undefined);
    await assert.rejects(machine.agent().join(options), { code: 'server_unreachable' });
    const { keys, enrolment } = machine.agent().state ?? assert.fail();
    assert.ok(enrolment.state === 'pending' && enrolment.challenge !== undefined);
    const { idObject, encryptedSecret, template, endorsementArea } = enrolment.challenge;
    const credential = {
      idObject: Buffer.from(idObject, 'base64url'),
      encryptedSecret: Buffer.from(encryptedSecret, 'base64url'),
    };
    const ek = { template, publicArea: endorsementArea };
    await assert.rejects(stranger.tpm.activate(keys, ek, credential), { code: 'tpm_changed' });
    await assert.rejects(stranger.tpm.activate(strangersKeys, ek, credential), { code: 'tpm_changed' });
    await assert.rejects(stranger.tpm.activate(strangersKeys, strangersEk, credential), { code: 'credential_refused' });
    // And with other keys of the same TPM, as after a second set-up: the name in the credential is not theirs.
    const others = await machine.tpm.createKeys();
    await assert.rejects(machine.tpm.activate(others, ek, credential), { code: 'credential_refused' });
    assert.equal((await machine.tpm.activate(keys, ek, credential)).length, 32);
  },
);

test(
  'the state folder on another TPM: its keys do not load, and a new enrolment makes others',
  NEEDS_TPM,
  async (t) => {
    const [machine, other] = [await testMachine(t), await testMachine(t)];
    const { service, join: options } = await scene(t);
    const agent = machine.agent();
    await agent.join(options);
    await agent.attest();
    const moved = other.agent({ store: folderStore(StateFolder.open(machine.statePath)) });
    await assert.rejects(moved.attest(), { code: 'tpm_changed' });
    // On the same TPM the keys stay: the service would not take others.
    const { keys } = agent.state ?? assert.fail();
    service.tokens.add(TOKEN);
    await agent.join({ ...options, force: true });
    assert.deepEqual(agent.state?.keys, keys);
    assert.equal(existsSync(join(machine.statePath, 'client.crt')), false);
    service.tokens.add(TOKEN);
    service.machines.clear();
    await moved.join({ ...options, force: true });
    assert.notDeepEqual(moved.state?.keys, keys);
    assert.equal((await moved.attest()).verdict.isTrusted, true);
  },
);

test('without a certificate of the maker there is no enrolment; one from a file does', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const bare = await machine.tpm.readEndorsement();
  assert.equal(bare.template, 'H-3');
  const { localTpm } = await import('@vouchsafe/agent');
  const { openSwtpm } = await import('@vouchsafe/tpm/node');
  const open = () => openSwtpm({ path: machine.swtpm.path });
  // The TPM has a certificate for the keys H-3 and L-1 alone.
  await assert.rejects(localTpm(open, { template: 'L-2' }).readEndorsement(), { code: 'endorsement_missing' });
  const wrong = Uint8Array.from(Buffer.from(bare.certificates[0] as string, 'base64url'));
  await assert.rejects(localTpm(open, { template: 'L-2', certificates: [wrong] }).readEndorsement(), {
    code: 'endorsement_missing',
  });
  const rsa = await localTpm(open, { template: 'L-1', certificates: [wrong, Uint8Array.of(1)] }).readEndorsement();
  assert.notEqual(rsa.certificates[0], encodeBase64url(wrong));
});

test('a state folder of somebody else’s making is refused or mended', { skip: process.getuid?.() !== 0 }, (t) => {
  const dir = join(tempDir(t), 'state');
  const folder = StateFolder.open(dir);
  assert.equal(folder.read(), undefined);
  folder.writeFile('state.json', '{"version":1}');
  assert.throws(() => folder.read(), { code: 'state_malformed' });
  folder.writeFile('state.json', '{"version":');
  assert.throws(() => folder.read(), { code: 'state_malformed' });
});
