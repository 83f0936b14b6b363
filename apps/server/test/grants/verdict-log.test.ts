// SPDX-License-Identifier: Apache-2.0
// The audit log vouches for each verdict: what is altered, removed or put in afterwards shows.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { checkRecordProof, parseLogKey, type RecordProof, verifyAuditLog } from '@vouchsafe/audit';
import { parseBase64 } from '@vouchsafe/pki';
import type { VerdictProof } from '@vouchsafe/protocol';
import pg from 'pg';
import { isWanted } from '../../src/domain/events/event-filter.ts';
import { forgetOld } from '../../src/domain/retention.ts';
import { DATABASES } from '../support/databases.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { attestWith, enrolTestDevice, type TestDevice, verdictOf } from './device.ts';

const DAY_MS = 86_400_000;
const TABLES = ['verdicts', 'verdict_details', 'verdict_groups'] as const;

interface Bench extends TestServer {
  /** What somebody does who has the database. */
  meddle(statement: string): Promise<void>;
  /** Codes of what `audit verify` finds, and how many verdicts it held against the log. */
  verify(wantsRecords?: boolean): Promise<{ readonly codes: readonly string[]; readonly held: number }>;
  prove(id: string, atMs?: number): Promise<RecordProof>;
  holds(proof: RecordProof): Promise<boolean>;
}

for (const { name, requirement, open } of DATABASES) {
  let days = 0;

  async function start(t: Parameters<typeof startTestServer>[0]): Promise<Bench> {
    days = 0;
    const databaseUrl = await open();
    const server = await startTestServer(t, {
      now: () => Date.now() + days * DAY_MS,
      grants: { retention: { verdictsMs: 10 * DAY_MS } },
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
    });
    const { client, adminToken: token, service, stateDir } = server;
    const keyOf = async () => parseLogKey((await client.call('GET', '/v1/audit/head', { token })).body.key);
    return {
      ...server,
      async meddle(statement) {
        if (databaseUrl === undefined) {
          using database = new DatabaseSync(`${stateDir}/vouchsafe.db`);
          database.exec(statement);
          return;
        }
        const other = new pg.Client(databaseUrl);
        await other.connect();
        await other.query(statement);
        await other.end();
      },
      async verify(wantsRecords = true) {
        await service.auditLog.settle();
        const { status, body } = await client.call('GET', '/v1/audit?records=true', { token });
        assert.equal(status, 200);
        const lines = String(body).trimEnd().split('\n');
        const { findings, records } = await verifyAuditLog(lines, { key: await keyOf(), wantsRecords });
        return { codes: findings.map(({ code }) => code), held: records.held };
      },
      async prove(id, atMs) {
        const query = atMs === undefined ? '' : `?at=${atMs}`;
        const { status, body } = await client.call('GET', `/v1/devices/${id}/verdict-proof${query}`, { token });
        assert.equal(status, 200, JSON.stringify(body));
        const { head: note, hashes, entry, ...rest } = body as VerdictProof;
        const decoded = (texts: readonly string[]): Uint8Array[] => texts.map(parseBase64);
        return { ...rest, note, hashes: decoded(hashes), entry: { ...entry, hashes: decoded(entry.hashes) } };
      },
      holds: async (proof) => checkRecordProof(proof, await keyOf()).holds,
    };
  }

  /** Verdicts of several machines, some of them of one transaction. */
  async function fill({ service }: TestServer): Promise<readonly TestDevice[]> {
    const devices = await Promise.all(['edge-1', 'edge-2', 'edge-3'].map((id) => enrolTestDevice(service, id)));
    for (const status of ['affirming', 'contraindicated', 'affirming'] as const) {
      await Promise.all(devices.map((device) => attestWith(service, device, verdictOf(status))));
    }
    return devices;
  }

  test(`${name}: each verdict is proved to be what was recorded`, requirement, async (t) => {
    const bench = await start(t);
    await fill(bench);
    assert.deepEqual(await bench.verify(), { codes: [], held: 9 });
    const newest = await bench.prove('edge-2');
    assert.match(newest.record, /"device":"edge-2",.*"status":"affirming"/);
    const before = await bench.prove('edge-2', JSON.parse(newest.record).atMs - 1);
    assert.match(before.record, /"status":"contraindicated"/);
    assert.deepEqual([await bench.holds(newest), await bench.holds(before)], [true, true]);
    // Not as another's, not with another text, not under another entry.
    const forged = newest.record.replace('edge-2', 'edge-3');
    assert.equal(await bench.holds({ ...newest, record: forged }), false);
    assert.equal(await bench.holds({ ...newest, entry: before.entry }), false);
    assert.equal(await bench.holds({ ...newest, index: newest.index + 1 }), false);
    const { adminToken: token, client } = bench;
    for (const [path, status] of [
      ['/v1/devices/nobody/verdict-proof', 404],
      ['/v1/devices/edge-2/verdict-proof?at=1', 404],
      ['/v1/devices/edge-2/verdict-proof?at=x', 400],
    ] as const) {
      assert.equal((await client.call('GET', path, { token })).status, status, path);
    }
    // The log without its verdicts proves nothing of them, and does not say so either.
    const plain = String((await client.call('GET', '/v1/audit', { token })).body)
      .trimEnd()
      .split('\n');
    const { body: head } = await client.call('GET', '/v1/audit/head', { token });
    const key = parseLogKey(head.key);
    const unasked = await verifyAuditLog(plain, { key });
    assert.deepEqual([unasked.findings, unasked.records.areChecked], [[], false]);
    const asked = await verifyAuditLog(plain, { key, wantsRecords: true });
    assert.deepEqual(
      asked.findings.map(({ code }) => code),
      ['audit_records_removed'],
    );
  });

  test(`${name}: what somebody with the database changes of verdicts audit verify finds`, requirement, async (t) => {
    const bench = await start(t);
    await fill(bench);
    assert.deepEqual((await bench.verify()).codes, []);
    for (const table of TABLES) await bench.meddle(`create table kept_${table} as select * from ${table}`);
    for (const [statement, code] of [
      ["update verdicts set status = 'affirming' where status = 'contraindicated'", 'altered'],
      ['update verdicts set is_trusted = 1 where is_trusted = 0', 'altered'],
      ["update verdict_details set body = '{}' where body like '%image_unknown%'", 'altered'],
      ["update verdicts set detail_sha256 = 'x' where is_trusted = 0", 'altered'],
      ["update verdicts set at_ms = at_ms + 1000000 where device_id = 'edge-1'", 'removed'],
      ["update verdicts set device_id = 'edge-9' where device_id = 'edge-1'", 'removed'],
      ["update verdicts set audit_entry = null where device_id = 'edge-1'", 'removed'],
      ["delete from verdicts where device_id = 'edge-1' and is_trusted = 0", 'removed'],
      ['delete from verdict_groups', 'removed'],
      ["update verdict_groups set members = '[]'", 'altered'],
      ["update verdict_groups set members = 'x'", 'altered'],
    ] as const) {
      await bench.meddle(statement);
      const { codes } = await bench.verify();
      assert.ok(codes.length > 0 && codes.every((one) => one === `audit_records_${code}`), `${statement}: ${codes}`);
      // Nor does an export that says of itself that it has the verdicts pass without them.
      assert.deepEqual((await bench.verify(false)).codes, codes);
      for (const table of TABLES) {
        await bench.meddle(`delete from ${table}`);
        await bench.meddle(`insert into ${table} select * from kept_${table}`);
      }
      assert.deepEqual((await bench.verify()).codes, [], 'as it was');
    }
  });

  test(`${name}: a verdict that was put in has no proof`, requirement, async (t) => {
    const bench = await start(t);
    await fill(bench);
    await bench.verify();
    const columns = 'device_id, status, is_trusted, detail_sha256, audit_entry';
    await bench.meddle(
      `insert into verdicts (at_ms, ${columns}) select max(at_ms) + 1, ${columns} from verdicts where device_id = 'edge-1' and is_trusted = 1 group by ${columns}`,
    );
    const { status } = await bench.client.call('GET', '/v1/devices/edge-1/verdict-proof', { token: bench.adminToken });
    assert.equal(status, 404);
  });

  test(
    `${name}: what is forgotten in its time is not missed, and nothing else is excused by it`,
    requirement,
    async (t) => {
      const bench = await start(t);
      const [one] = await fill(bench);
      days = 11;
      await attestWith(bench.service, one as TestDevice, verdictOf('affirming'));
      await attestWith(bench.service, one as TestDevice, verdictOf('affirming'));
      assert.deepEqual(await bench.verify(), { codes: [], held: 11 });
      await forgetOld(bench.service);
      // The last of two machines, and the two of the third.
      assert.deepEqual(await bench.verify(), { codes: [], held: 4 });
      assert.equal(await bench.holds(await bench.prove('edge-2')), true, 'beside those that are gone');
      const groups = await bench.service.store.read.verdicts.groups(await entryIds(bench));
      const newest = await bench.prove('edge-1');
      const left = [newest, await bench.prove('edge-1', JSON.parse(newest.record).atMs - 1)];
      for (const id of ['edge-2', 'edge-3']) left.push(await bench.prove(id));
      const entries = new Set(left.map(({ entry }) => entry.index));
      assert.equal(groups.length, entries.size, 'a group goes with the last of its verdicts');
      await bench.meddle("delete from verdicts where device_id = 'edge-1'");
      assert.deepEqual((await bench.verify()).codes, ['audit_records_removed']);
    },
  );
}

async function entryIds({ client, adminToken: token }: TestServer): Promise<string[]> {
  const { body } = await client.call('GET', '/v1/audit', { token });
  return [...String(body).matchAll(/\\"id\\":\\"([0-9a-f-]+)\\"/g)].map(([, id = '']) => id);
}

test('who follows events is not told of each transaction unless by name', () => {
  assert.equal(isWanted('verdicts.commit', []), false);
  assert.equal(isWanted('verdicts.commit', ['verdict.*']), false);
  assert.equal(isWanted('verdicts.commit', ['verdicts.*']), true);
  assert.equal(isWanted('verdict.change', []), true);
});
