// SPDX-License-Identifier: Apache-2.0
// Attacks on the protocol and the service, by their numbers in the list of attacks that must fail.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { tempDir } from '@vouchsafe/testing';
import { DATABASES } from './support/databases.ts';
import { Machine, openWorkshop } from './support/machine.ts';
import { startTestServer } from './support/server.ts';
import { codesOf, trustedMachine } from './support/trusted.ts';

const HOUR_MS = 3_600_000;

for (const database of DATABASES) {
  describe(`attacks on ${database.name}`, database.requirement, () => {
    let now = () => Date.now();
    const start = async (t: Parameters<typeof startTestServer>[0]) => {
      const databaseUrl = await database.open();
      now = () => Date.now();
      const server = await startTestServer(t, {
        now: () => now(),
        ...(databaseUrl === undefined ? {} : { databaseUrl }),
      });
      const workshop = await openWorkshop(server);
      await workshop.addImage();
      return { server, workshop };
    };

    test('A1: a quote is accepted once, for its own challenge, by its own device, in its time', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const challenge = await alice.freshChallenge();
      const message = alice.evidence(challenge);
      assert.equal((await alice.send(message)).status, 200);
      assert.equal((await alice.send(message)).body.code, 'challenge_used');
      // The old quote under a new nonce.
      const renewed = await alice.send({ ...message, nonce: (await alice.freshChallenge()).nonce });
      assert.equal(renewed.body.code, 'evidence_not_authentic');
      assert.deepEqual(codesOf(renewed.body), ['quote_nonce']);
      // Another device's challenge.
      const bob = await workshop.enrolledMachine('bob');
      const foreign = await bob.attest({ challenge: await alice.freshChallenge() });
      assert.equal(foreign.body.code, 'challenge_invalid');
      // One that was held too long.
      const held = await alice.freshChallenge();
      now = () => Date.now() + 2 * HOUR_MS;
      assert.equal((await alice.attest({ challenge: held })).body.code, 'challenge_expired');
    });

    test('A1: of two that come with one nonce at the same moment, one is accepted', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const message = alice.evidence(await alice.freshChallenge());
      const answers = await Promise.all(Array.from({ length: 8 }, () => alice.send(message)));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      // One that lost each of its tries against the others is told that the device has changed meanwhile: it is refused, too.
      for (const { status, body } of answers)
        if (status !== 200) assert.match(body.code, /^(challenge_used|conflict)$/);
      const { body } = await workshop.call('GET', '/v1/devices/alice/verdicts');
      assert.equal(body.items.length, 3);
    });

    test('A3, A4, A5, A6: signed bytes that are no quote of what was asked for', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const set = (at: number, value: number) => (attest: Uint8Array) => {
        const changed = attest.slice();
        changed[at] = value;
        return changed;
      };
      const challenge = await alice.freshChallenge();
      const over = (pcrs: number[]) => ({ ...challenge, selection: [{ bank: 'sha256' as const, pcrs }] });
      const cases = {
        quote_magic: alice.evidence(challenge, { change: set(0, 0) }),
        quote_type: alice.evidence(challenge, { change: set(5, 0x17) }),
        quote_selection: alice.evidence(over([0])),
      };
      for (const [code, message] of Object.entries(cases)) {
        const answer = await alice.send(message);
        assert.equal(answer.body.code, 'evidence_not_authentic', code);
        assert.deepEqual(codesOf(answer.body), [code]);
      }
      const empty = alice.evidence({ ...challenge, selection: [] });
      const full = alice.evidence(challenge).pcrs;
      const forged = await alice.send({ ...empty, pcrs: full });
      assert.equal(forged.body.code, 'evidence_not_authentic');
    });

    test('A46: a quote of another machine’s key says nothing of this one', async (t) => {
      const { workshop } = await start(t);
      const [alice, bob] = [await trustedMachine(workshop, 'alice'), await workshop.enrolledMachine('bob')];
      const answer = await bob.attest({ challenge: await alice.freshChallenge(), as: 'alice' });
      assert.equal(answer.body.code, 'evidence_not_authentic');
      assert.deepEqual(codesOf(answer.body), ['signature_invalid']);
    });

    test('A53: evidence that nothing can be read from prolongs no trust, and a malformed log ends it', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const before = (await workshop.call('GET', '/v1/devices/alice')).body;
      const garbage = encodeBase64url(new Uint8Array(200).fill(0xa5));
      const edits: ((message: ReturnType<typeof alice.evidence>) => unknown)[] = [
        (m) => ({ ...m, quote: { ...m.quote, attest: garbage } }),
        (m) => ({ ...m, quote: { ...m.quote, signature: garbage } }),
        (m) => ({ ...m, pcrs: [] }),
        (m) => ({ ...m, pcrs: [...m.pcrs, ...m.pcrs] }),
        (m) => ({ ...m, nonce: 'A'.repeat(46) }),
        (m) => ({ ...m, quote: null }),
        (m) => ({ ...m, logs: { firmware: { sha256: 'x' } } }),
        () => [],
        () => null,
      ];
      for (const [i, edit] of edits.entries()) {
        const answer = await alice.attest({ edit });
        assert.ok(answer.status >= 400 && answer.status < 500, `${i}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      const between = (await workshop.call('GET', '/v1/devices/alice')).body;
      assert.equal(between.trustedUntilMs, before.trustedUntilMs);
      now = () => Date.now() + HOUR_MS;
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'stale');
      now = () => Date.now() + HOUR_MS;
      alice.boot();
      const broken = await alice.attest({
        edit: (m) => ({ ...m, logs: { firmware: { sha256: '00'.repeat(32), bytes: garbage } } }),
      });
      assert.equal(broken.status, 200);
      assert.equal(broken.body.verdict.isTrusted, false);
      assert.ok(codesOf(broken.body.verdict).includes('log_malformed'));
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'untrusted');
    });

    test('A54: a failure stays until the machine starts anew or an operator clears it', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      alice.boot({ kernel: 'a kernel of mine' });
      const failed = await alice.attest();
      assert.equal(failed.body.verdict.isTrusted, false);
      // The same start, and what it says is good again.
      alice.boot();
      alice.resetCount -= 1;
      const later = await alice.attest();
      assert.equal(later.body.verdict.isTrusted, false);
      assert.ok(codesOf(later.body.verdict).includes('failed_before'));
      alice.boot();
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
      // Once more, and an operator clears it.
      alice.boot({ kernel: 'a kernel of mine' });
      await alice.attest();
      alice.boot();
      alice.resetCount -= 1;
      assert.equal((await alice.attest()).body.verdict.isTrusted, false);
      assert.equal((await workshop.call('POST', '/v1/devices/alice/clear')).status, 204);
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'unknown');
      // The other boot log of this start is not forgotten with the failure.
      assert.ok(!codesOf((await alice.attest()).body.verdict).includes('failed_before'));
    });

    test('A55: no reference, a policy that permits nothing, a policy that does not compile', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const none = await workshop.call('PUT', '/v1/policies/trust', { text: 'accept-all' });
      assert.equal(none.body.code, 'policy_malformed');
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
      const text = '@id("never") permit (principal, action, resource) when { context.image.name == "no such image" };';
      assert.equal((await workshop.call('PUT', '/v1/policies/trust', { text })).status, 200);
      const denied = await alice.attest();
      assert.equal(denied.body.verdict.isTrusted, false);
      assert.equal(denied.body.verdict.policy.name, 'trust/1');
      await workshop.call('POST', '/v1/policies/trust/versions/0/activate');
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
      for (const { sha256 } of (await workshop.call('GET', '/v1/references')).body.items) {
        await workshop.call('POST', `/v1/references/${sha256}/revoke`);
      }
      const revoked = await alice.attest();
      assert.equal(revoked.body.verdict.isTrusted, false);
      assert.ok(codesOf(revoked.body.verdict).includes('image_revoked'));
    });

    test('A52: an image that was retired, and one below the version floor', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const [{ sha256 }] = (await workshop.call('GET', '/v1/references')).body.items;
      await workshop.call('POST', `/v1/references/${sha256}/retire`, { atMs: Date.now() + HOUR_MS });
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
      await workshop.call('POST', `/v1/references/${sha256}/retire`, { atMs: Date.now() - 1 });
      assert.ok(codesOf((await alice.attest()).body.verdict).includes('image_retired'));
      await workshop.call('POST', `/v1/references/${sha256}/activate`);
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
      await workshop.call('PUT', '/v1/version-floors/edge', { version: '1.5' });
      assert.ok(codesOf((await alice.attest()).body.verdict).includes('image_below_floor'));
    });

    test('A59: what changes while evidence is looked at is not passed over', async (t) => {
      const { server, workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const { store } = server.service;
      const row = await store.read.devices.find('alice');
      assert.ok(row !== undefined);
      const record = {
        deviceId: 'alice',
        revision: row.revision,
        generation: (await store.read.settings.generation()) - 1,
        nonce: 'ab'.repeat(34),
        nonceExpiresAtMs: Date.now() + HOUR_MS,
        atMs: Date.now() + 1,
        status: 'affirming',
        isTrusted: true,
        trustedUntilMs: Date.now() + HOUR_MS,
        detail: { sha256: 'cd'.repeat(32), body: '{}' },
        imageName: null,
        imageVersion: null,
        bootLogSha256: null,
        state: '{}',
        settledSha256: undefined,
        isSame: false,
      } as const;
      assert.equal(await store.recordAttestation(record), 'references_changed');
      const now = { ...record, generation: record.generation + 1 };
      assert.equal(await store.recordAttestation({ ...now, revision: row.revision - 1 }), 'device_changed');
      assert.equal((await store.read.devices.find('alice'))?.revision, row.revision);
      // A quarantine in the middle of many: none that is answered afterwards is a good one.
      const flood = Promise.all(Array.from({ length: 10 }, () => alice.attest().catch(() => undefined)));
      await workshop.call('POST', '/v1/devices/alice/quarantine');
      await flood;
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'quarantined');
      assert.equal((await server.client.call('POST', '/v1/devices/alice/challenges')).body.code, 'device_quarantined');
    });

    test('A35: a held challenge needs a TPM that ran meanwhile; a clock that went back is refused', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const held = await alice.freshChallenge();
      const clock = alice.clock;
      now = () => Date.now() + 15 * 60_000;
      const early = await alice.attest({ challenge: held, clock: { clock: clock + 30_000n } });
      assert.equal(early.body.code, 'challenge_fresh_needed');
      const ahead = await alice.attest({ challenge: held, clock: { clock: clock + 3_600_000n } });
      assert.equal(ahead.body.code, 'challenge_fresh_needed');
      const right = await alice.attest({ challenge: held, clock: { clock: clock + 900_000n } });
      assert.equal(right.status, 200);
      alice.resetCount -= 1;
      const rewound = await alice.attest();
      assert.equal(rewound.body.verdict.isTrusted, false);
      assert.ok(codesOf(rewound.body.verdict).includes('clock_reset_decreased'));
    });

    test('A62: a host clock an hour ahead or behind makes nothing trusted that was not', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const { trustedUntilMs } = (await workshop.call('GET', '/v1/devices/alice')).body;
      now = () => Date.now() - HOUR_MS;
      const behind = await workshop.call('GET', '/v1/service');
      assert.ok(behind.body.nowMs > Date.now() - 60_000, 'the service’s time does not go back');
      now = () => trustedUntilMs + 1;
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'stale');
      now = () => Date.now();
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'stale');
      assert.equal((await alice.attest()).body.verdict.isTrusted, true);
    });

    test('a device that falls silent is told of once, and is untrusted from its moment on', async (t) => {
      const { server, workshop } = await start(t);
      await trustedMachine(workshop, 'alice');
      const { tellOfStaleDevices } = await import('../src/domain/devices/stale-devices.ts');
      assert.equal(await tellOfStaleDevices(server.service), 0);
      now = () => Date.now() + HOUR_MS;
      assert.equal(await tellOfStaleDevices(server.service), 1);
      assert.equal(await tellOfStaleDevices(server.service), 0);
    });

    test('a boot log travels once: the next challenge says that it is known', async (t) => {
      const { workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const challenge = await alice.freshChallenge();
      const message = alice.evidence(challenge);
      assert.equal(challenge.logs.firmwareSha256, message.logs.firmware.sha256);
      assert.equal(message.logs.firmware.bytes, undefined);
      assert.equal((await alice.send(message)).body.verdict.isTrusted, true);
      const log = await workshop.call('GET', '/v1/devices/alice/boot-log');
      assert.ok(parseBase64url(log.body.bytes).length > 500);
      alice.boot({ firmware: 'firmware 2' });
      const unsent = alice.evidence(await alice.freshChallenge());
      const { bytes: _, ...digestAlone } = unsent.logs.firmware;
      const wanted = await alice.send({ ...unsent, logs: { firmware: digestAlone } });
      assert.equal(wanted.body.code, 'log_wanted');
    });
  });
}

test('A1: a service that is started with longer challenges does not take what was answered under shorter ones again', async (t) => {
  const stateDir = tempDir(t);
  let hours = 0;
  const start = (challengeMs: number) =>
    startTestServer(t, { stateDir, now: () => Date.now() + hours * HOUR_MS, attestation: { challengeMs } });
  const short = await start(HOUR_MS);
  const workshop = await openWorkshop(short);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const answered = alice.evidence(await alice.freshChallenge());
  assert.equal((await alice.send(answered)).status, 200);
  hours = 2;
  // That it was answered is forgotten, as it has expired.
  await short.service.store.write((tx) => tx.attestations.removeOldNonces(short.service.clock()));
  assert.equal((await alice.send(answered)).body.code, 'challenge_expired');
  await short.close();
  const long = await start(96 * HOUR_MS);
  const again = Object.assign(new Machine(long.client, alice.tpm), { id: 'alice', clock: alice.clock + 9_000_000n });
  // Its TPM's clock stands where it stood: it is not looked at, and changes nothing of the device.
  assert.equal((await again.send(answered)).body.code, 'challenge_fresh_needed');
  const { body: device } = await long.client.call('GET', '/v1/devices/alice', { token: short.adminToken });
  assert.equal(device.state, 'stale');
  assert.equal((await again.attest()).body.verdict.isTrusted, true);
  // What is asked from now on lasts as long as is said.
  const held = await again.freshChallenge();
  hours = 5;
  again.clock += 3n * 3_600_000n;
  assert.equal((await again.attest({ challenge: held })).status, 200);
});

test('A56: bodies beyond the limit are cut off, and others are served meanwhile', async (t) => {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const huge = server.client.call('POST', '/v1/devices/alice/evidence', { raw: new Uint8Array(64 * 1024 * 1024) }).then(
    ({ status }) => status,
    () => 'cut off',
  );
  assert.equal((await alice.attest()).status, 200);
  assert.ok([413, 'cut off'].includes(await huge));
});

test('A58: what machines and operators name themselves cannot forge a line of the log', async (t) => {
  const { client, adminToken: token, logLines } = await startTestServer(t);
  const label = 'x\n{"level":"info","msg":"forged"}\u2028<script>\u202e\u061c';
  assert.equal((await client.call('POST', '/v1/tokens', { token, body: { label } })).status, 201);
  for (const line of logLines) {
    assert.equal(line.trimEnd().split('\n').length, 1);
    assert.doesNotMatch(line, /[<>\u2028\u202e\u061c]/);
    assert.notEqual(JSON.parse(line).msg, 'forged');
  }
});
