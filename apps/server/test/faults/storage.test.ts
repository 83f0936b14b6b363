// SPDX-License-Identifier: Apache-2.0
// What the service rests on, gone for a while: what was acknowledged is there afterwards, and nothing is taken twice.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { needsMountNamespace, needsTool, tempDir } from '@vouchsafe/testing';
import { createClient } from '../support/client.ts';
import { openWorkshop } from '../support/machine.ts';
import { startPostgres } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';
import { trustedMachine } from '../support/trusted.ts';
import { databaseAway } from './database-away.ts';
import { checkAudit } from './kill-rounds.ts';

const CHILD = fileURLToPath(new URL('../support/serve-child.ts', import.meta.url));
const DISK_MIB = 8;
const BALLAST_MIB = 3;
/** Many more than fit. */
const MAX_TOKENS = 60_000;
const AT_ONCE = 32;

test(
  'a full disk: what does not fit is refused and said, what was acknowledged stays, and with room it goes on',
  needsMountNamespace(),
  async (t) => {
    const dir = tempDir(t);
    // A disk of its own, which nobody else sees, with something on it that can be removed.
    const script = `mount -t tmpfs -o size=${DISK_MIB}m none "$0" && head -c ${BALLAST_MIB}M /dev/zero >"$0/ballast" && exec "$1" "$2" "$0/state"`;
    const child = spawn('unshare', ['--mount', 'sh', '-ec', script, dir, process.execPath, CHILD], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { url, ca, token } = JSON.parse(line) as { url: string; ca: string; token: string };
    const client = createClient(url, { ca });
    t.after(() => client.close());
    const workshop = await openWorkshop({ client, adminToken: token });
    await workshop.addImage();
    const alice = await trustedMachine(workshop, 'alice');
    const kept = new Set<string>();
    const refused = new Set<string>();
    const fill = async (): Promise<void> => {
      while (refused.size === 0 && kept.size < MAX_TOKENS) {
        const { status, body } = await workshop.call('POST', '/v1/tokens', { label: 'x'.repeat(256) });
        if (status === 201) kept.add(body.id);
        else refused.add(`${status} ${body.code}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, fill));
    assert.deepEqual([...refused], ['503 database_full']);
    assert.ok(kept.size > 100);
    const listed = async (): Promise<Set<string>> =>
      new Set((await workshop.call('GET', '/v1/tokens')).body.items.map(({ id }: { id: string }) => id));
    // It is looked at as before. A verdict that cannot be written is not given, and its challenge is not used up.
    const during = await listed();
    assert.deepEqual(
      [...kept].filter((id) => !during.has(id)),
      [],
    );
    const message = alice.evidence(await alice.freshChallenge());
    const full = await alice.send(message);
    assert.deepEqual([full.status, full.body.code, full.body.verdict], [503, 'database_full', undefined]);
    assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'trusted');

    const inside = ['--mount', '--target', String(child.pid), 'rm', join(dir, 'ballast')];
    assert.equal(spawnSync('nsenter', inside).status, 0);
    assert.equal((await alice.send(message)).body.verdict?.isTrusted, true);
    assert.match((await alice.send(message)).body.code, /^challenge_used$/);
    const after = await listed();
    assert.deepEqual(
      [...kept].filter((id) => !after.has(id)),
      [],
    );
    // What was refused is not there either.
    assert.equal(after.size, kept.size + 1);
    await sleep(1500);
    assert.ok((await checkAudit(client, token, [])) > kept.size);
  },
);

test(
  'a database that is away for a while: requests are answered, and it goes on by itself',
  needsTool('pg_ctlcluster'),
  async (t) => {
    const postgres = await startPostgres(t);
    const server = await startTestServer(t, { databaseUrl: await postgres.createDatabase() });
    const workshop = await openWorkshop(server);
    await workshop.addImage();
    const alice = await trustedMachine(workshop, 'alice');
    const first = alice.evidence(await alice.freshChallenge());
    assert.equal((await alice.send(first)).status, 200);
    const message = alice.evidence(await alice.freshChallenge());
    await postgres.stop();
    try {
      const answers = await Promise.all([
        ...Array.from({ length: 8 }, () => alice.send(message)),
        ...Array.from({ length: 8 }, () => workshop.call('GET', '/v1/devices')),
        workshop.call('POST', '/v1/tokens', {}),
        server.client.call('GET', '/v1/ready'),
      ]);
      assert.deepEqual(
        [...new Set(answers.map(({ status, body }) => `${status} ${body.code}`))],
        ['503 database_unavailable'],
      );
      assert.ok(answers.every(({ headers }) => headers['retry-after'] === '10'));
      assert.equal((await server.client.call('GET', '/v1/health')).status, 200);
    } finally {
      await postgres.start();
    }
    const again = await alice.send(message);
    assert.equal(again.body.verdict?.isTrusted, true, JSON.stringify(again.body));
    for (const old of [first, message]) assert.equal((await alice.send(old)).body.code, 'challenge_used');
    assert.equal((await server.client.call('GET', '/v1/ready')).status, 200);
    await server.service.auditLog.settle();
    assert.ok((await checkAudit(server.client, server.adminToken, [])) > 0);
  },
);

test(
  'a database that goes away amid attestations and comes back: each request is answered, and nothing acknowledged is lost',
  needsTool('pg_ctlcluster'),
  async (t) => {
    const { attestations, refused } = await databaseAway(await startPostgres(t), tempDir(t), 3000);
    assert.ok(attestations > 0);
    assert.ok(refused > 0);
  },
);
