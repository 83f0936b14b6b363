// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashLeaf, isConsistent, isIncluded, parseLogKey, verifyAuditLog, verifyTreeHead } from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { formatCertificate } from '@vouchsafe/pki';
import { tempDir } from '@vouchsafe/testing';
import { cutLog } from '../../src/domain/audit/cut-log.ts';
import { auditEntryOf } from '../../src/domain/audit/entry.ts';
import { allowedAddresses, resolveAllowed } from '../../src/domain/events/safe-address.ts';
import { DATABASES } from '../support/databases.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { newAuthority } from '../support/signer.ts';
import { attestWith, enrolTestDevice, firstKeys, verdictOf } from './device.ts';

async function exported({ client, adminToken: token }: TestServer, from?: number): Promise<string[]> {
  const answer = await client.call('GET', `/v1/audit${from === undefined ? '' : `?from=${from}`}`, { token });
  assert.equal(answer.status, 200);
  return String(answer.body).trimEnd().split('\n');
}

const headOf = async ({ client, adminToken: token }: TestServer) =>
  (await client.call('GET', '/v1/audit/head', { token })).body;

/** Some entries beside those that the service makes itself. */
async function append({ service }: TestServer, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) =>
    auditEntryOf({ kind: 'test.entry', actor: { kind: 'service', name: 'test' }, subject: String(i) }, service.clock()),
  );
  await service.store.write((tx) => tx.audit.append(entries));
  await service.auditLog.settle();
}

for (const { name, requirement, open } of DATABASES) {
  const start = async (t: Parameters<typeof startTestServer>[0], config = {}): Promise<TestServer> => {
    const databaseUrl = await open();
    return startTestServer(t, { ...config, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  };

  test(`${name}: what was done before the log is asked for is in it`, requirement, async (t) => {
    const server = await start(t);
    for (let size = (await headOf(server)).size, i = 0; i < 3; i++) {
      await server.client.call('POST', '/v1/tokens', { token: server.adminToken, body: { label: `t${i}` } });
      const now = i === 1 ? (await exported(server)).length - 2 : (await headOf(server)).size;
      assert.ok(now > size, `${now} entries after ${size}`);
      size = (await headOf(server)).size;
    }
  });

  test(`${name}: what happens is in the log, and the log proves itself`, requirement, async (t) => {
    const server = await start(t);
    const { service, client, adminToken: token } = server;
    await client.call('POST', '/v1/tokens', { token, body: { label: 'x\n{"kind":"forged"}' } });
    const device = await enrolTestDevice(service, 'edge-1');
    await attestWith(service, device, verdictOf('affirming'), { keys: firstKeys(device).keys });
    await service.auditLog.settle();
    const early = await headOf(server);
    await attestWith(service, device, verdictOf('contraindicated'));
    await attestWith(service, device, verdictOf('contraindicated'));
    await append(server, 600);
    const { key, head, size } = await headOf(server);
    const logKey = parseLogKey(key);
    const lines = await exported(server);
    const kinds: string[] = [];
    const options = {
      key: logKey,
      knownHeads: [early.head],
      onEntry: (_: number, leaf: string) => kinds.push(JSON.parse(leaf).kind),
    };
    const report = await verifyAuditLog(lines, options);
    assert.deepEqual(report.findings, []);
    assert.equal(report.size, size);
    // A58: a label with a line's end in it makes no entry. A verdict that is as the one before is told of once.
    const own = kinds.filter((kind) => kind !== 'test.entry' && kind !== 'verdicts.commit');
    assert.deepEqual(own.toSorted(), [
      'certificate.issue',
      'certificate.revoke',
      'operator.create',
      'token.create',
      'verdict.change',
      'verdict.change',
    ]);
    // A59: the verdict's entry names what was used.
    const change = lines.find((line) => line.includes('verdict.change')) ?? '';
    const { detail } = JSON.parse(JSON.parse(change).leaf);
    assert.deepEqual(detail.policy, { name: 'strict', sha256: 'bb' });
    assert.deepEqual(detail.references, [{ name: 'edge 1.4.0', sha256: 'aa' }]);

    // Proofs, for who keeps heads alone.
    const [before, now] = [verifyTreeHead(early.head, logKey), verifyTreeHead(head, logKey)];
    assert.ok(before && now);
    const proof = async (query: string): Promise<Uint8Array[]> => {
      const { status, body } = await client.call('GET', `/v1/audit/proof?${query}`, { token });
      assert.equal(status, 200, query);
      return body.hashes.map((hash: string) => new Uint8Array(Buffer.from(hash, 'base64')));
    };
    assert.ok(isConsistent(before, now, await proof(`size=${size}&older=${early.size}`)));
    for (const index of [0, 255, 256, size - 1]) {
      const { leaf } = JSON.parse(lines[index + 1] ?? '');
      const hashes = await proof(`size=${size}&index=${index}`);
      assert.ok(isIncluded(hashLeaf(utf8(leaf)), index, size, hashes, now.root), String(index));
    }
    for (const query of [`size=${size}`, `size=${size + 1}&index=0`, `size=${size}&index=${size}`, `size=1&older=2`]) {
      const { status } = await client.call('GET', `/v1/audit/proof?${query}`, { token });
      assert.ok(status === 400 || status === 404, query);
    }
    assert.deepEqual((await verifyAuditLog(await exported(server, 300), { key: logKey })).findings, []);
    assert.equal((await client.call('GET', `/v1/audit?from=${size + 1}`, { token })).status, 404);

    // Somebody with the database changes an entry: what is exported does not fit the signed head any more.
    if (name === 'SQLite') {
      const database = new DatabaseSync(`${server.stateDir}/vouchsafe.db`);
      database.exec("update audit_entries set leaf = replace(leaf, 'edge-1', 'edge-2') where place = 3");
      database.close();
      const found = await verifyAuditLog(await exported(server), { key: logKey, knownHeads: [early.head] });
      assert.ok(found.findings.some(({ code }) => code === 'audit_altered'));
    }
  });

  test(`${name}: old entries are forgotten, and what stays follows them`, requirement, async (t) => {
    const server = await start(t);
    await append(server, 20);
    const early = await headOf(server);
    await sleep(5);
    const cutAtMs = server.service.clock();
    await sleep(5);
    await append(server, 300);
    const { auditOrigin } = server.service.config.grants;
    assert.equal(await cutLog(server.service.store, auditOrigin, cutAtMs), early.size);
    assert.equal(await cutLog(server.service.store, auditOrigin, cutAtMs), 0);
    const { key, first, size } = await headOf(server);
    assert.equal(first, early.size);
    const report = await verifyAuditLog(await exported(server), { key: parseLogKey(key), knownHeads: [early.head] });
    assert.deepEqual(report.findings, []);
    assert.equal(report.size, size);
    assert.equal(report.entries, size - first);
    const answer = await server.client.call('GET', '/v1/audit?from=0', { token: server.adminToken });
    assert.equal(answer.status, 404);
  });

  test(
    `${name}: webhooks: signed, in order, again after a failure, and only to allowed addresses`,
    requirement,
    async (t) => {
      const got: { body: string; headers: IncomingMessage['headers'] }[] = [];
      const statuses = [500, 302];
      const receiver = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        request.on('end', () => {
          const status = statuses.shift() ?? 200;
          if (status === 200) got.push({ body, headers: request.headers });
          response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
        });
      }).listen(0, '127.0.0.1');
      await once(receiver, 'listening');
      t.after(() => void receiver.close());
      const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
      let skipMs = 0;
      const grants = { webhooks: { allow: ['127.0.0.0/8'], allowHttp: true } };
      const server = await start(t, { grants, now: () => Date.now() + skipMs });
      const { client, adminToken: token } = server;
      for (const bad of [
        'http://10.0.0.1/',
        'http://[::1]/',
        'http://169.254.169.254/latest',
        'http://a:b@127.0.0.1/',
      ]) {
        const refused = await client.call('POST', '/v1/webhooks', { token, body: { url: bad } });
        assert.equal(refused.body.code, 'address_refused', bad);
      }
      const body = { url, kinds: ['token.*'] };
      const { body: made, status } = await client.call('POST', '/v1/webhooks', { token, body });
      assert.equal(status, 201);
      for (const label of ['one', 'two']) await client.call('POST', '/v1/tokens', { token, body: { label } });
      for (let i = 0; got.length < 2; i++) {
        assert.ok(i < 400, 'the webhook was not called');
        // The pauses between attempts pass at once.
        skipMs += 6_000;
        await append(server, 1);
        await sleep(25);
      }
      assert.deepEqual(statuses, []);
      const labels = got.map((one) => JSON.parse(one.body).data.detail.label);
      assert.deepEqual(labels, ['one', 'two']);
      for (const { body: text, headers } of got) {
        const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
        const key = Buffer.from(String(made.secret).slice('whsec_'.length), 'base64');
        const mac = createHmac('sha256', key).update(signed).digest('base64');
        assert.equal(headers['webhook-signature'], `v1,${mac}`);
      }
      const listed = await client.call('GET', '/v1/webhooks', { token });
      assert.equal(JSON.stringify(listed.body).includes(made.secret), false);
      assert.equal((await client.call('DELETE', `/v1/webhooks/${made.id}`, { token })).status, 204);
    },
  );

  test(`${name}: events come as they happen, and from where one left off`, requirement, async (t) => {
    const server = await start(t);
    const { client, adminToken: token } = server;
    const follow = (headers: Record<string, string>, query: string, until: number): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { ca: server.caCertificate, headers: { authorization: `Bearer ${token}`, ...headers } };
        get(`${server.url}/v1/events?${query}`, options, (response) => {
          assert.equal(response.headers['content-type'], 'text/event-stream');
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
            if (text.split('\ndata: ').length <= until) return;
            response.destroy();
            resolve(text);
          });
        }).on('error', reject);
      });
    await server.service.auditLog.settle();
    const live = follow({}, 'from=0&kinds=token.*', 2);
    for (const label of ['one', 'two']) await client.call('POST', '/v1/tokens', { token, body: { label } });
    const text = await live;
    const events = [...text.matchAll(/id: (\d+)\nevent: (.*)\ndata: (.*)\n\n/g)];
    assert.deepEqual(
      events.map(([, , kind]) => kind),
      ['token.create', 'token.create'],
    );
    const [, id = ''] = events[0] ?? [];
    const rest = await follow({ 'last-event-id': id }, 'kinds=token.*', 1);
    assert.equal(JSON.parse(/data: (.*)\n/.exec(rest)?.[1] ?? '').detail.label, 'two');
  });
}

test('who is no operator any more hears of no events, on a connection that was open before', async (t) => {
  const server = await startTestServer(t);
  const { client, adminToken: token } = server;
  const made = await client.call('POST', '/v1/operators', { token, body: { name: 'eve', role: 'viewer' } });
  const heard = new Promise<string>((resolve, reject) => {
    const options = { ca: server.caCertificate, headers: { authorization: `Bearer ${made.body.token}` } };
    get(`${server.url}/v1/events?from=0&kinds=token.*`, options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        if (text === '') remove().catch(reject);
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
  const remove = async (): Promise<void> => {
    assert.equal((await client.call('DELETE', `/v1/operators/${made.body.id}`, { token })).status, 204);
    await client.call('POST', '/v1/tokens', { token, body: { label: 'afterwards' } });
  };
  // It ends, and has not the event in it.
  assert.doesNotMatch(await heard, /afterwards/);
});

test('a program that signs for the service and fails is no fault of who asks, and what it says stays here', async (t) => {
  const certificatePath = join(tempDir(t), 'ca.pem');
  writeFileSync(certificatePath, formatCertificate((await newAuthority('clients')).certificate));
  const command = ['sh', '-c', 'echo the token wants its PIN 123456 >&2; exit 1'];
  const server = await startTestServer(t, { grants: { signers: { client: { command, certificatePath } } } });
  const list = await server.client.call('GET', '/v1/crl');
  assert.deepEqual([list.status, list.body.code], [500, 'internal']);
  assert.doesNotMatch(JSON.stringify(list.body), /PIN|123456/);
  assert.ok(
    server.logLines.some((line) => line.includes('command_failed')),
    'the log has more',
  );
});

test('addresses that may be called: all of a name, in whatever clothes', async () => {
  const allowed = allowedAddresses(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);
  for (const host of ['10.1.255.255', '192.0.2.7', '[2001:db8::1]', '::ffff:10.1.2.3']) {
    await resolveAllowed(host, allowed);
  }
  for (const host of [
    '10.2.0.0',
    '192.0.2.8',
    '[::1]',
    '::ffff:10.2.2.3',
    '127.0.0.1',
    'localhost',
    'no.such.invalid',
  ]) {
    await assert.rejects(resolveAllowed(host, allowed), { code: 'address_refused' }, host);
  }
  // A range of IPv6 addresses, even of all of them, lets nobody through to IPv4.
  const everywhere = allowedAddresses(['::/0']);
  await resolveAllowed('[2001:db8::1]', everywhere);
  for (const host of [
    new URL('http://[::ffff:127.0.0.1]/').hostname,
    '[::ffff:7f00:1]',
    '0:0:0:0:0:ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '127.0.0.1',
  ]) {
    await assert.rejects(resolveAllowed(host, everywhere), { code: 'address_refused' }, host);
  }
  for (const range of ['10.0.0.0/33', 'x', '10.0.0', '::/129', '10.0.0.0/-1']) {
    assert.throws(() => allowedAddresses([range]), { code: 'configuration_invalid' }, range);
  }
});

test('entries that keep coming do not keep the log from growing', { timeout: 30_000 }, async (t) => {
  const { service } = await startTestServer(t);
  await service.auditLog.settle();
  // What the start has kicked is over.
  await sleep(200);
  const before = service.auditLog.size;
  const timer = setInterval(() => service.auditLog.kick(), 1);
  t.after(() => clearInterval(timer));
  await sleep(20);
  const entry = auditEntryOf({ kind: 'test.entry', actor: { kind: 'service', name: 'test' }, subject: 'x' }, 1);
  await service.store.write((tx) => tx.audit.append([entry]));
  while (service.auditLog.size === before && !t.signal.aborted) await sleep(5);
});
