// SPDX-License-Identifier: Apache-2.0
// Several instances on one database, and an end without warning.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServerConfig } from '@vouchsafe/server';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { newKeyFile } from '../src/domain/secrets/key-ring.ts';
import { createClient } from './support/client.ts';
import { sharedPostgres } from './support/databases.ts';
import { Machine, openWorkshop } from './support/machine.ts';
import { startTestServer } from './support/server.ts';
import { codesOf, trustedMachine } from './support/trusted.ts';

/** What instances on one PostgreSQL have in common: the database, and the key of what is encrypted in it. */
async function sharedConfig(t: TestContext, more: Partial<ServerConfig> = {}): Promise<Partial<ServerConfig>> {
  const databaseUrl = await (await sharedPostgres()).createDatabase();
  const path = join(tempDir(t), 'secrets.key');
  writeFileSync(path, newKeyFile(), { mode: 0o600 });
  return { databaseUrl, grants: { secretKey: { kind: 'file', path } }, ...more };
}

const CHILD = fileURLToPath(new URL('./support/serve-child.ts', import.meta.url));

test(
  'two instances on one PostgreSQL: one set of devices, nonces and references',
  needsTool('pg_ctlcluster'),
  async (t) => {
    const config = await sharedConfig(t);
    // Started at once: the schema is made by one of them.
    const [a, b] = await Promise.all([startTestServer(t, config), startTestServer(t, config)]);
    assert.equal([a, b].filter(({ firstAdminToken }) => firstAdminToken !== undefined).length, 1);
    const first = a.firstAdminToken === undefined ? b : a;
    const second = first === a ? b : a;
    const workshop = await openWorkshop(first);
    const image = await workshop.addImage();
    const alice = await trustedMachine(workshop, 'alice');
    const viaSecond = Object.assign(new Machine(second.client, alice.tpm), { id: 'alice', clock: alice.clock });
    // A challenge of one is answered at the other.
    const answer = await viaSecond.attest({ challenge: await alice.freshChallenge() });
    assert.equal(answer.body.verdict?.isTrusted, true, JSON.stringify(answer.body));
    // Shown to both at the same moment, it counts once.
    for (let round = 0; round < 5; round++) {
      const message = viaSecond.evidence(await alice.freshChallenge());
      const answers = await Promise.all([alice.send(message), viaSecond.send(message), alice.send(message)]);
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    }
    // What one revokes is revoked at the other, at once.
    await workshop.call('POST', `/v1/references/${image}/revoke`);
    const revoked = await viaSecond.attest();
    assert.equal(revoked.body.verdict.isTrusted, false);
    assert.ok(codesOf(revoked.body.verdict).includes('image_revoked'));
    await workshop.call('POST', '/v1/devices/alice/quarantine');
    assert.equal((await viaSecond.send(viaSecond.evidence(answer.body.challenge))).body.code, 'device_quarantined');
  },
);

test(
  'A31: of two TPMs that prove themselves for one id at two instances at once, one comes in, or waits',
  needsTool('pg_ctlcluster'),
  async (t) => {
    const config = await sharedConfig(t, { joining: { approval: true } });
    const first = await startTestServer(t, config);
    const second = await startTestServer(t, config);
    const workshop = await openWorkshop(first);
    const pairs = await Promise.all(
      Array.from({ length: 8 }, async (_, round) => {
        const [one, made] = [await workshop.newMachine(), await workshop.newMachine()];
        return { round, one, other: new Machine(second.client, made.tpm) };
      }),
    );
    const outcomeOf = ({ status, body }: { status: number; body: { state?: string; code?: string } }): string =>
      body.state ?? `${status} ${body.code}`;
    for (const joining of ['token', 'approval'] as const) {
      const states = joining === 'token' ? ['enrolled'] : ['awaiting-approval'];
      for (const { round, one, other } of pairs) {
        const id = `${joining}-${round}`;
        const begin = async (machine: Machine) => {
          const way = joining === 'token' ? { kind: joining, token: await workshop.joinToken(id) } : { kind: joining };
          const body = machine.enrolmentRequest(way, id);
          return machine.client.call('POST', '/v1/enrolments', { body });
        };
        if (joining === 'approval') {
          // Those of the first half are known by now: others take part in the second.
          one.tpm.newAttestationKey();
          other.tpm.newAttestationKey();
        }
        const begun = [await begin(one), await begin(other)] as const;
        const answers = await Promise.all([one.prove(begun[0]), other.prove(begun[1])]);
        assert.deepEqual(answers.map(outcomeOf).sort(), ['403 identity_taken', ...states].sort(), id);
      }
      if (joining === 'token')
        for (const { round } of pairs) await workshop.call('DELETE', `/v1/devices/token-${round}`);
    }
    const { body } = await workshop.call('GET', '/v1/enrolments');
    assert.equal(body.items.length, pairs.length);
    for (const { round } of pairs) {
      assert.equal((await workshop.call('POST', `/v1/devices/approval-${round}/approve`)).status, 204);
    }
  },
);

test(
  'of two admins that remove each other at two instances at once, one is left',
  needsTool('pg_ctlcluster'),
  async (t) => {
    const config = await sharedConfig(t);
    const first = await startTestServer(t, config);
    const second = await startTestServer(t, config);
    let token = first.adminToken;
    for (let round = 0; round < 6; round++) {
      const call = (server: typeof first, method: string, where: string, as: string, body?: unknown) =>
        server.client.call(method, where, { token: as, ...(body === undefined ? {} : { body }) });
      const other = await call(first, 'POST', '/v1/operators', token, { name: `admin-${round}`, role: 'admin' });
      const admins = (await call(first, 'GET', '/v1/operators', token)).body.items;
      const [mine] = admins.filter(({ id }: { id: string }) => id !== other.body.id);
      const answers = await Promise.all([
        call(first, 'DELETE', `/v1/operators/${other.body.id}`, token),
        call(second, 'DELETE', `/v1/operators/${mine.id}`, other.body.token),
      ]);
      const statuses = answers.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 204).length, 1, `${statuses}`);
      if (statuses[1] === 204) token = other.body.token;
      assert.equal((await call(first, 'GET', '/v1/operators', token)).body.items.length, 1);
    }
  },
);

interface Child {
  readonly url: string;
  readonly ca: string;
  readonly token: string | undefined;
  kill(): Promise<void>;
}

/** A service in a process of its own. */
async function startChild(stateDir: string): Promise<Child> {
  const child = spawn(process.execPath, [CHILD, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    ...JSON.parse(line),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('several that start at once in one new state folder: one makes the keys, all have the same, and so have later ones', async (t) => {
  const stateDir = join(tempDir(t), 'state');
  const all = await Promise.all(Array.from({ length: 4 }, () => startChild(stateDir)));
  try {
    assert.equal(new Set(all.map(({ ca }) => ca)).size, 1);
    assert.equal(all.filter(({ token }) => token !== undefined).length, 1);
    // Each speaks TLS with the key of its certificate.
    for (const { url, ca } of all) {
      const client = createClient(url, { ca });
      assert.equal((await client.call('GET', '/v1/health')).status, 200);
      client.close();
    }
  } finally {
    await Promise.all(all.map((child) => child.kill()));
  }
  const later = await startChild(stateDir);
  assert.equal(later.ca, all[0]?.ca);
  await later.kill();
});

test('killed in the middle of many attestations: what was acknowledged is there, and no nonce is good again', async (t) => {
  const stateDir = tempDir(t);
  const first = await startChild(stateDir);
  let client = createClient(first.url, { ca: first.ca });
  const workshop = await openWorkshop({ client, adminToken: first.token ?? '' });
  await workshop.addImage();
  const fleet = [await trustedMachine(workshop)];
  for (let i = 0; i < 3; i++) fleet.push(await workshop.enrolledMachine());
  const acknowledged: { machine: Machine; message: unknown; atMs: number }[] = [];
  const run = async (machine: Machine): Promise<void> => {
    for (;;) {
      const message = machine.evidence(await machine.freshChallenge());
      const { status, body } = await machine.send(message);
      if (status !== 200) throw new Error(JSON.stringify(body));
      acknowledged.push({ machine, message, atMs: body.verdict.atMs });
    }
  };
  const runs = Promise.allSettled(fleet.map(run));
  while (acknowledged.length < 40) await new Promise((resolve) => setTimeout(resolve, 5));
  await first.kill();
  await runs;
  client.close();
  const again = await startChild(stateDir);
  t.after(() => again.kill());
  client = createClient(again.url, { ca: again.ca });
  t.after(() => client.close());
  assert.equal(again.token, undefined);
  for (const machine of fleet) {
    const mine = acknowledged.filter((one) => one.machine === machine);
    const kept = new Set<number>();
    for (let after = ''; ; ) {
      const { body } = await client.call('GET', `/v1/devices/${machine.id}/verdicts${after}`, { token: first.token });
      for (const { atMs } of body.items) kept.add(atMs);
      if (body.next === undefined) break;
      after = `?after=${body.next}`;
    }
    assert.deepEqual(
      mine.filter(({ atMs }) => !kept.has(atMs)),
      [],
    );
    const last = mine.at(-1);
    const replayed = await client.call('POST', `/v1/devices/${machine.id}/evidence`, { body: last?.message });
    assert.equal(replayed.body.code, 'challenge_used');
  }
});
