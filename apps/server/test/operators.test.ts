// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { formatCertificate, issueSelfSigned, OID } from '@vouchsafe/pki';
import { tempDir } from '@vouchsafe/testing';
import { createClient } from './support/client.ts';
import { DATABASES } from './support/databases.ts';
import { startTestServer } from './support/server.ts';

const DAY_MS = 86_400_000;

for (const database of DATABASES) {
  describe(`operators on ${database.name}`, database.requirement, () => {
    const start = async (t: Parameters<typeof startTestServer>[0]) => {
      const databaseUrl = await database.open();
      return startTestServer(t, databaseUrl === undefined ? {} : { databaseUrl });
    };

    test('the first admin makes others, and their roles bound them', async (t) => {
      const { client, adminToken } = await start(t);
      const created = await client.call('POST', '/v1/operators', {
        token: adminToken,
        body: { name: 'vera', role: 'viewer' },
      });
      assert.equal(created.status, 201);
      const { token } = created.body;
      assert.equal((await client.call('GET', '/v1/service', { token })).status, 200);
      const refused = await client.call('POST', '/v1/tokens', { token, body: {} });
      assert.equal(refused.status, 403);
      assert.equal(refused.body.code, 'forbidden');
      const removed = await client.call('DELETE', `/v1/operators/${created.body.id}`, { token: adminToken });
      assert.equal(removed.status, 204);
      assert.equal((await client.call('GET', '/v1/service', { token })).body.code, 'unauthenticated');
    });

    test('the last admin stays', async (t) => {
      const { client, adminToken } = await start(t);
      const { body } = await client.call('GET', '/v1/operators', { token: adminToken });
      const answer = await client.call('DELETE', `/v1/operators/${body.items[0].id}`, { token: adminToken });
      assert.equal(answer.body.code, 'conflict');
    });

    test('a name is one operator’s', async (t) => {
      const { client, adminToken } = await start(t);
      const answer = await client.call('POST', '/v1/operators', {
        token: adminToken,
        body: { name: 'admin', role: 'viewer' },
      });
      assert.equal(answer.body.code, 'conflict');
    });
  });
}

test('A57: an operator’s certificate opens nothing before its time and after it', async (t) => {
  const nowMs = Date.UTC(2026, 5, 1);
  let hostMs = nowMs;
  const server = await startTestServer(t, { now: () => hostMs });
  const { cert, key, der } = await newClientCertificate(nowMs - DAY_MS, nowMs + 30 * DAY_MS);
  const created = await server.client.call('POST', '/v1/operators', {
    token: server.adminToken,
    body: { name: 'carla', role: 'viewer', certificate: Buffer.from(der).toString('base64url') },
  });
  assert.equal(created.status, 201);
  const carla = createClient(server.url, { ca: server.caCertificate, cert, key });
  t.after(() => carla.close());
  assert.equal((await carla.call('GET', '/v1/service')).status, 200);
  hostMs += 31 * DAY_MS;
  const late = await carla.call('GET', '/v1/service');
  assert.equal(late.status, 401);
  assert.equal(late.body.code, 'unauthenticated');
});

async function newClientCertificate(notBeforeMs: number, notAfterMs: number) {
  const { privateKey, publicKey, privateKeyPem } = generateKeyPair('P-256');
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: 'carla' }],
      serialNumber: 1n,
      validity: { notBeforeMs, notAfterMs },
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
    },
    { input: 'message', scheme, spki: publicKey.spki, signMessage: async (m) => signMessage(privateKey, scheme, m) },
  );
  return { cert: formatCertificate(certificate), key: privateKeyPem, der: certificate.bytes };
}

test('a database outside the state folder is for its owner alone, too', async (t) => {
  const path = join(tempDir(t), 'elsewhere.db');
  await startTestServer(t, { databaseUrl: `sqlite:${path}` });
  for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
});

test('the state folder is for its owner alone', async (t) => {
  const { stateDir } = await startTestServer(t);
  assert.equal(statSync(join(stateDir, 'tls')).mode & 0o777, 0o700);
  for (const name of ['tls/ca.key', 'tls/server.key']) {
    assert.equal(statSync(join(stateDir, name)).mode & 0o777, 0o600, name);
  }
});

test('no token stands in the database or the log as it is', async (t) => {
  const { service, adminToken, logLines } = await startTestServer(t);
  const operators = await service.store.read.operators.list();
  assert.equal(operators.length, 1);
  assert.ok(!JSON.stringify(operators).includes(adminToken));
  assert.ok(!logLines.join('').includes(adminToken));
});
