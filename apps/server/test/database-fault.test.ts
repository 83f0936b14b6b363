// SPDX-License-Identifier: Apache-2.0
// What the databases themselves say when they cannot: each fault is told apart, with what to do.
import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { needsTool, tempDir } from '@vouchsafe/testing';
import pg from 'pg';
import { groupVerdicts } from '../src/domain/audit/verdict-group.ts';
import { databaseFaultOf } from '../src/store/database-fault.ts';
import { openStore } from '../src/store/open-store.ts';
import { sharedPostgres } from './support/databases.ts';
import { startTestServer } from './support/server.ts';

const faultOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return databaseFaultOf(error)?.code ?? 'none';
  }
  return undefined;
};

/** SQLite's file and what follows its header, overwritten. */
function damage(path: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, new Uint8Array(200_000).fill(0xa5), 0, 200_000, 4096);
  closeSync(file);
}

test('SQLite: busy, full, read only, damaged, away and taken are told apart; a wrong statement is our defect', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'a.db');
  const db = new DatabaseSync(path, { timeout: 0 });
  db.exec('pragma journal_mode = wal; create table t (x text unique); pragma max_page_count = 3');
  const put = (text: string) => db.prepare('insert into t values (?)').run(text);
  assert.equal(
    faultOf(() => put('x'.repeat(50_000))),
    'database_full',
  );
  db.exec('pragma max_page_count = 1000000');
  const other = new DatabaseSync(path, { timeout: 0 });
  other.exec('begin immediate');
  assert.equal(
    faultOf(() => put('1')),
    'database_busy',
  );
  other.exec('rollback; pragma query_only = on');
  assert.equal(
    faultOf(() => other.exec('delete from t')),
    'database_read_only',
  );
  put('1');
  assert.equal(
    faultOf(() => put('1')),
    'conflict',
  );
  assert.equal(
    faultOf(() => db.exec('select nonsense')),
    'none',
  );
  for (let i = 0; i < 500; i++) put(`${i} ${'x'.repeat(500)}`);
  other.close();
  db.close();
  damage(path);
  const damaged = new DatabaseSync(path);
  assert.equal(
    faultOf(() => damaged.prepare('select x from t order by x').all()),
    'database_damaged',
  );
  damaged.close();
  assert.equal(
    faultOf(() => new DatabaseSync(join(dir, 'no', 'such.db'))),
    'database_unavailable',
  );
});

test('a start upon a file that is no database, or in a folder that is not there, says so', async (t) => {
  const path = join(tempDir(t), 'no.db');
  writeFileSync(path, 'no database, and long enough to be looked at. '.repeat(100));
  await assert.rejects(openStore(`sqlite:${path}`, 0, groupVerdicts), { code: 'database_damaged' });
  await assert.rejects(openStore(`sqlite:${path}/none.db`, 0, groupVerdicts));
});

test('over HTTP: a database that was damaged is no defect of the service, and nothing of its files is said', async (t) => {
  const server = await startTestServer(t);
  const { client, adminToken: token, stateDir, logLines } = server;
  for (let i = 0; i < 40; i++) await client.call('POST', '/v1/tokens', { token, body: { label: 'x'.repeat(64) } });
  const fresh = new DatabaseSync(join(stateDir, 'vouchsafe.db'));
  fresh.exec('pragma wal_checkpoint(truncate)');
  fresh.close();
  damage(join(stateDir, 'vouchsafe.db'));
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await client.call('POST', '/v1/tokens', { token, body: {} }));
  const codes = answers.map(({ body }) => body.code);
  assert.ok(codes.includes('database_damaged'), `${codes}`);
  for (const { body } of answers) assert.ok(!JSON.stringify(body).includes(stateDir));
  assert.ok(
    logLines.some((line) => line.includes('malformed')),
    'the log says what the database said',
  );
});

test(
  'PostgreSQL: read only, taken, busy and away are told apart; a wrong statement is our defect',
  needsTool('pg_ctlcluster'),
  async () => {
    const client = new pg.Client(await (await sharedPostgres()).createDatabase());
    await client.connect();
    const code = async (text: string): Promise<string> => {
      const failed = await client.query(text).then(
        () => undefined,
        (error: unknown) => error,
      );
      await client.query('rollback');
      return databaseFaultOf(failed)?.code ?? 'none';
    };
    await client.query('create table t (x text unique)');
    await client.query("insert into t values ('1')");
    assert.equal(await code("insert into t values ('1')"), 'conflict');
    assert.equal(await code("begin read only; insert into t values ('2')"), 'database_read_only');
    assert.equal(await code("set statement_timeout = '10ms'; select pg_sleep(5)"), 'database_busy');
    assert.equal(await code('select nonsense'), 'none');
    await client.end();
    assert.equal(
      databaseFaultOf(await client.query('select 1').catch((e: unknown) => e))?.code,
      'database_unavailable',
    );
    const away = new pg.Client({ host: '127.0.0.1', port: 1 });
    assert.equal(databaseFaultOf(await away.connect().catch((e: unknown) => e))?.code, 'database_unavailable');
  },
);
