// SPDX-License-Identifier: Apache-2.0
// What is old is forgotten, and what a device needs now is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settleGrants } from '../src/domain/grant-settings.ts';
import { forgetOld } from '../src/domain/retention.ts';
import { DATABASES } from './support/databases.ts';
import { openWorkshop } from './support/machine.ts';
import { startTestServer } from './support/server.ts';
import { trustedMachine } from './support/trusted.ts';

const DAY_MS = 86_400_000;

for (const database of DATABASES) {
  describe(`retention on ${database.name}`, database.requirement, () => {
    let days = 0;
    const start = async (t: Parameters<typeof startTestServer>[0]) => {
      const databaseUrl = await database.open();
      days = 0;
      const server = await startTestServer(t, {
        now: () => Date.now() + days * DAY_MS,
        grants: { retention: { verdictsMs: 10 * DAY_MS, bootLogsMs: 20 * DAY_MS } },
        ...(databaseUrl === undefined ? {} : { databaseUrl }),
      });
      const workshop = await openWorkshop(server);
      await workshop.addImage();
      const verdicts = async (id: string): Promise<{ atMs: number; isTrusted: boolean }[]> =>
        (await workshop.call('GET', `/v1/devices/${id}/verdicts`)).body.items;
      const store = server.service.store.read;
      return { server, workshop, verdicts, store, forget: () => forgetOld(server.service) };
    };

    test('verdicts and what they said go in their time; the last of each device stays, with its reasons', async (t) => {
      const { workshop, verdicts, store, forget } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      alice.boot({ kernel: 'another kernel' });
      const failed = await alice.attest();
      assert.equal(failed.body.verdict.isTrusted, false);
      const told = (await store.devices.find('alice'))?.verdict_sha256 ?? '';
      alice.boot();
      await alice.attest();
      const said = (await store.devices.find('alice'))?.verdict_sha256 ?? '';
      assert.equal((await verdicts('alice')).length, 4);
      await forget();
      assert.equal((await verdicts('alice')).length, 4);
      days = 9;
      await forget();
      assert.equal((await verdicts('alice')).length, 4);
      days = 11;
      await forget();
      assert.deepEqual(
        (await verdicts('alice')).map(({ isTrusted }) => isTrusted),
        [true],
      );
      assert.equal(await store.verdicts.detail(told), undefined);
      assert.notEqual(await store.verdicts.detail(said), undefined);
      assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.verdict.isTrusted, true);
    });

    test('what was forgotten is kept again when a verdict says it anew', async (t) => {
      const { workshop, verdicts, forget } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      alice.boot({ kernel: 'another kernel' });
      await alice.attest();
      for (days of [5, 11, 12]) {
        alice.boot();
        await alice.attest();
        await forget();
      }
      alice.boot({ kernel: 'another kernel' });
      assert.equal((await alice.attest()).body.verdict.isTrusted, false);
      await forget();
      // Each verdict that is listed has what it said.
      assert.deepEqual(
        (await verdicts('alice')).map(({ isTrusted }) => isTrusted),
        [false, true, true, true],
      );
    });

    test('of each device the log of its last good boot is kept, unless another has booted the same', async (t) => {
      const { server, workshop } = await start(t);
      const alice = await trustedMachine(workshop, 'alice');
      const bob = await trustedMachine(workshop, 'bob');
      const logOf = async (id: string): Promise<string> =>
        (await workshop.call('GET', `/v1/devices/${id}`)).body.bootLogSha256;
      const first = await logOf('alice');
      assert.equal(await logOf('bob'), first);
      const has = async (sha256: string): Promise<boolean> =>
        (await server.service.store.read.details.bootLog(sha256)) !== undefined;
      const seen: string[] = [];
      for (let i = 0; i < 5; i++) {
        alice.boot({ kernel: `another kernel, ${i}` });
        await alice.attest();
        seen.push(await logOf('alice'));
      }
      assert.equal(new Set(seen).size, 5);
      assert.deepEqual(await Promise.all(seen.map(has)), [false, false, false, false, true]);
      assert.equal(await has(first), true, 'bob has it');
      bob.boot({ kernel: 'another kernel, 4' });
      await bob.attest();
      assert.equal(await has(first), false);
      assert.equal((await workshop.call('GET', '/v1/devices/bob/boot-log')).status, 200);
    });

    test('boot logs that no device has go in their time', async (t) => {
      const { server, workshop, forget } = await start(t);
      await trustedMachine(workshop, 'alice');
      const bob = await trustedMachine(workshop, 'bob');
      bob.boot({ kernel: 'another kernel' });
      await bob.attest();
      const logOf = async (id: string): Promise<string> =>
        (await workshop.call('GET', `/v1/devices/${id}`)).body.bootLogSha256;
      const [first, second] = [await logOf('alice'), await logOf('bob')];
      const has = async (sha256: string): Promise<boolean> =>
        (await server.service.store.read.details.bootLog(sha256)) !== undefined;
      await workshop.call('DELETE', '/v1/devices/alice');
      days = 19;
      await forget();
      assert.deepEqual([await has(first), await has(second)], [true, true]);
      days = 21;
      await forget();
      assert.deepEqual([await has(first), await has(second)], [false, true]);
      assert.equal((await workshop.call('GET', '/v1/devices/bob/boot-log')).status, 200);
      // Sent again, it is there again; and counts from then on.
      bob.boot();
      assert.equal((await bob.attest()).body.verdict.isTrusted, true);
      await forget();
      assert.deepEqual([await has(first), await has(second)], [true, false]);
    });

    test('join tokens go a month after their end', async (t) => {
      const { workshop, forget } = await start(t);
      await workshop.joinToken();
      const count = async (): Promise<number> => (await workshop.call('GET', '/v1/tokens')).body.items.length;
      days = 30;
      await forget();
      assert.equal(await count(), 1);
      days = 32;
      await forget();
      assert.equal(await count(), 0);
    });
  });
}

test('what is kept for less than a day is refused at the start', () => {
  for (const verdictsMs of [0, -1, DAY_MS - 1, Number.NaN]) {
    assert.throws(() => settleGrants({ retention: { verdictsMs } }), { code: 'configuration_invalid' });
  }
  assert.equal(settleGrants({ retention: { bootLogsMs: DAY_MS } }).retention.bootLogsMs, DAY_MS);
});
