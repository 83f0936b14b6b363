// SPDX-License-Identifier: Apache-2.0
// What one place may ask of the service, whatever it calls itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect as open } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import type { Verdict } from '@vouchsafe/appraise';
import { detailOf, storedDetail } from '../src/domain/attestation/wire-verdict.ts';
import { ipv4Inside, ipv6Groups } from '../src/domain/ip-address.ts';
import { addressKey } from '../src/http/address-key.ts';
import { limitConnections } from '../src/http/connections.ts';
import { openWorkshop } from './support/machine.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { trustedMachine } from './support/trusted.ts';

test('A56: an address that names other devices all the time is limited all the same', async (t) => {
  const { client } = await startTestServer(t, { limits: { evidencePerMinute: 100, machinesPerMinute: 8 } });
  const statuses = [];
  for (let i = 0; i < 10; i++) statuses.push((await client.call('POST', `/v1/devices/made-up-${i}/challenges`)).status);
  assert.deepEqual(statuses, [404, 404, 404, 404, 404, 404, 404, 404, 429, 429]);
});

test('A56: an address whose requests are refused gets no further, while others are served', async (t) => {
  const server = await startTestServer(t, { limits: { evidencePerMinute: 100, refusalsPerMinute: 5 } });
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  for (let i = 0; i < 5; i++) {
    const answer = await server.client.call('POST', `/v1/devices/alice/evidence`, { body: {} });
    assert.equal(answer.status, 400);
  }
  const limited = await server.client.call('POST', '/v1/devices/alice/evidence', { body: {} });
  assert.equal(limited.body.code, 'too_many_requests');
  assert.equal(limited.headers['retry-after'], '60');
  // What is refused for that is not counted again, and operators are not shut out.
  assert.equal((await workshop.call('GET', '/v1/devices/alice')).body.state, 'trusted');
  assert.equal(alice.id, 'alice');
});

test('A56: large requests that are refused count for what they took', async (t) => {
  const { client } = await startTestServer(t, { limits: { evidencePerMinute: 100, refusalsPerMinute: 10 } });
  const raw = new Uint8Array(4 * 1024 * 1024);
  assert.equal((await client.call('POST', '/v1/devices/alice/evidence', { raw })).body.code, 'request_malformed');
  assert.equal((await client.call('POST', '/v1/devices/alice/evidence', { raw })).body.code, 'too_many_requests');
});

test('an IPv6 network counts as one address, an IPv4 address as itself in either form', () => {
  const cases = {
    '192.0.2.7': '192.0.2.7',
    '::ffff:192.0.2.7': '192.0.2.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2:ffff::9': '2001:db8:1:2::/64',
    '2001:0DB8:0001:0002::': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '::ffff:c000:207': '192.0.2.7',
    '64:ff9b::192.0.2.7': '192.0.2.7',
    '': '',
  };
  for (const [address, key] of Object.entries(cases)) assert.equal(addressKey(address), key, address);
  assert.deepEqual(ipv6Groups('1:2:3:4:5:6:7:8'), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(ipv6Groups('1::8'), [1, 0, 0, 0, 0, 0, 0, 8]);
  assert.deepEqual(ipv6Groups('::1.2.3.4'), [0, 0, 0, 0, 0, 0, 0x102, 0x304]);
  assert.deepEqual([ipv6Groups('1.2.3.4'), ipv6Groups('x'), ipv6Groups('1:::2')], [undefined, undefined, undefined]);
  assert.deepEqual(
    [ipv4Inside('::1'), ipv4Inside('2001:db8::1'), ipv4Inside('10.0.0.1')],
    [undefined, undefined, undefined],
  );
});

/** The start of a request with a large body that does not come. */
async function stall(t: TestContext, server: TestServer, bytes: number): Promise<TLSSocket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', ca: server.caCertificate });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const head = 'POST /v1/devices/alice/evidence HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  socket.write(`${head}content-length: ${bytes}\r\n\r\n`);
  return socket;
}

test('A56: large bodies that do not come take only so much, and what is small is read meanwhile', async (t) => {
  // Those that are stalled still when it ends do not keep it.
  const server = await startTestServer(t, { stopMs: 100 });
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const large = 16 * 1024 * 1024;
  const stalled = await Promise.all(Array.from({ length: 8 }, () => stall(t, server, large)));
  const [refused] = (await once(await stall(t, server, large), 'data')) as [Buffer];
  assert.match(refused.toString(), /^HTTP\/1\.1 429 [\s\S]*too_many_requests/);
  assert.equal((await alice.attest()).status, 200);
  for (const socket of stalled) socket.destroy();
  await Promise.all(stalled.map((socket) => socket.closed || once(socket, 'close')));
  const send = async () =>
    (await server.client.call('POST', '/v1/devices/alice/evidence', { raw: new Uint8Array(1024 * 1024) })).body.code;
  let code = await send();
  // The service hears of the ends a moment later.
  for (let i = 0; i < 200 && code === 'too_many_requests'; i++) code = await send();
  assert.equal(code, 'request_malformed');
});

test('large bodies that were read and answered make room for others, on connections that go on', async (t) => {
  const { client } = await startTestServer(t);
  const raw = new Uint8Array(4 * 1024 * 1024);
  // Together more than may be on their way at once.
  for (let i = 0; i < 40; i++) {
    assert.equal((await client.call('POST', '/v1/devices/alice/evidence', { raw })).body.code, 'request_malformed');
  }
});

test('A56: a large body of many small parts is refused before it is read as JSON', async (t) => {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const many = 4_000_000;
  const bodies = {
    'one in the other': '['.repeat(many) + ']'.repeat(many),
    'objects in objects': `${'{"a":'.repeat(many / 2)}1${'}'.repeat(many / 2)}`,
    'one beside the other': `[${'{},'.repeat(many)}{}]`,
    members: `{${Array.from({ length: 500_000 }, (_, i) => `"${i}":1`).join(',')}}`,
  };
  for (const [name, raw] of Object.entries(bodies)) {
    const answer = await server.client.call('POST', '/v1/devices/alice/evidence', { raw });
    assert.equal(answer.body.code, 'request_malformed', name);
    assert.match(answer.body.detail, /parts in a body/, name);
  }
  // Large for its octets, as a boot log is.
  const large = await alice.attest({ edit: (m) => ({ ...m, logs: { ...m.logs, userspace: 'A'.repeat(1_000_000) } }) });
  assert.equal(large.status, 200);
  // Still as strict as before with what is small.
  for (const raw of [
    '{"__proto__":{}}',
    '{"\\u005f_proto__":{}}',
    '{"constructor":{"prototype":{}}}',
    '',
    '\u00ff',
    '{"a":1',
  ]) {
    const answer = await server.client.call('POST', '/v1/devices/alice/evidence', { raw });
    assert.equal(answer.status, 400, raw);
    assert.doesNotMatch(answer.body.detail ?? '', /required property/, `${raw} is no JSON that a form is asked about`);
  }
});

test('A56: whoever asks all the time whether the service is ready does not have the database asked as often', async (t) => {
  const server = await startTestServer(t);
  const { store } = server.service;
  let pings = 0;
  Object.assign(store, {
    ping: async () => {
      pings++;
    },
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => server.client.call('GET', '/v1/ready')));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(pings <= 3, `${pings} questions`);
});

test('A56: the findings of a verdict have their limit together, and the gravest are told', () => {
  const finding = (severity: 'error' | 'info', i: number) =>
    ({
      code: `f${i}`,
      severity,
      where: { artefact: 'log' },
      actual: 'x'.repeat(4000),
      hint: 'y'.repeat(4000),
    }) as const;
  const findings = [...Array.from({ length: 200 }, (_, i) => finding('info', i)), finding('error', 1000)];
  const verdict = {
    status: 'contraindicated',
    isTrusted: false,
    findings,
    references: [],
    policy: { name: 'p', sha256: '' },
  };
  const told = detailOf(verdict as unknown as Verdict);
  assert.equal(told.findings[0]?.code, 'f1000');
  assert.ok(storedDetail(told).body.length < 70_000);
  const few = detailOf({ ...verdict, findings: findings.slice(-3) } as unknown as Verdict);
  assert.deepEqual(
    few.findings.map(({ code }) => code),
    ['f198', 'f199', 'f1000'],
  );
});

test('connections beyond those of one address are closed, and one that ends makes room', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  limitConnections(server, 100, 2);
  server.on('connection', (socket) => socket.destroyed || socket.write('hello'));
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as { port: number };
  const greeted = async () => {
    const socket = open(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    const said = await Promise.race([once(socket, 'data').then(String), once(socket, 'close').then(() => 'closed')]);
    return { said, socket };
  };
  const first = await greeted();
  assert.equal(first.said, 'hello');
  assert.equal((await greeted()).said, 'hello');
  assert.equal((await greeted()).said, 'closed');
  first.socket.destroy();
  await once(first.socket, 'close');
  let next = await greeted();
  for (let i = 0; i < 100 && next.said === 'closed'; i++) next = await greeted();
  assert.equal(next.said, 'hello');
});
