// SPDX-License-Identifier: Apache-2.0
// The configurations of docs/tasks/grant-access in the proxies they are for, with nothing changed but names and places.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeCertificate, decodeCrl, formatCertificate, formatCrl, issueCrl, parsePem } from '@vouchsafe/pki';
import { parseBase64url } from '@vouchsafe/protocol';
import { needsTool } from '@vouchsafe/testing';
import { type Answer, createClient } from '../support/client.ts';
import { proxyFiles, runHook, startApp, startCaddy, startNginx } from '../support/proxy.ts';
import { startTestServer } from '../support/server.ts';
import { newAuthority } from '../support/signer.ts';
import { attestWith, enrolTestDevice, firstKeys, verdictOf } from './device.ts';

const GOOD = verdictOf('affirming');
const BAD = verdictOf('contraindicated');

const pemOf = (der: string | undefined): string => formatCertificate(decodeCertificate(parseBase64url(der ?? '')));

/** A service, a program that a proxy protects, and a machine with its certificate. */
async function scene(t: TestContext) {
  const server = await startTestServer(t);
  const { service, client, adminToken } = server;
  const body = { name: 'the-proxy', role: 'proxy' };
  const token: string = (await client.call('POST', '/v1/operators', { token: adminToken, body })).body.token;
  const device = await enrolTestDevice(service, 'edge-1');
  const { keys, client: key } = firstKeys(device);
  const { certificate } = await attestWith(service, device, GOOD, { keys });
  const app = await startApp(t);
  const files = await proxyFiles(t, server, token);
  const credentials = { cert: pemOf(certificate?.chain[0]), key: key.privateKeyPem };
  const ports = { service: server.port, app: app.port };
  return { server, service, device, app, files, ports, credentials, token };
}
type Scene = Awaited<ReturnType<typeof scene>>;

/** One request over a new connection, so that the handshake is made anew. */
async function call(url: string, ca: string, credentials: object): Promise<Answer> {
  const client = createClient(url, { ca, ...credentials });
  try {
    return await client.call('GET', '/page?a=b');
  } finally {
    client.close();
  }
}

const PROXIES = [
  ['nginx', 'nginx', (t: TestContext, { files, ports }: Scene) => startNginx(t, 'auth-request', files, ports)],
  ['Caddy', 'caddy', (t: TestContext, { files, ports, token }: Scene) => startCaddy(t, files, ports, token)],
] as const;

for (const [name, tool, start] of PROXIES) {
  test(
    `${name} asks: a machine passes until its verdict is bad, and not one request longer`,
    needsTool(tool),
    async (t) => {
      const all = await scene(t);
      const { server, service, device, app, files, credentials, token } = all;
      const { url } = await start(t, all);
      const kept = createClient(url, { ca: files.appCa, ...credentials });
      t.after(() => kept.close());
      const passed = await kept.call('GET', '/page', { headers: { 'x-vouchsafe-device': 'somebody-else' } });
      assert.equal(passed.status, 200);
      assert.equal(passed.body, 'hello edge-1');

      // The same connection, which was let in before; and a new one.
      await attestWith(service, device, BAD);
      assert.equal((await kept.call('GET', '/page')).status, 403);
      assert.equal((await call(url, files.appCa, credentials)).status, 403);
      assert.deepEqual(app.served, ['edge-1']);

      // Good again, with a new certificate; the old one stays out.
      const again = await attestWith(service, device, GOOD);
      assert.equal((await kept.call('GET', '/page')).status, 403);
      const renewed = { ...credentials, cert: pemOf(again.certificate?.chain[0]) };
      assert.equal((await call(url, files.appCa, renewed)).status, 200);

      // A63: its certificate in the header, from a caller who has not its key.
      const stranger = createClient(url, { ca: files.appCa });
      t.after(() => stranger.close());
      const headers = {
        'x-vouchsafe-client-cert': encodeURIComponent(renewed.cert),
        'x-forwarded-client-cert': `Cert="${encodeURIComponent(renewed.cert)}"`,
        authorization: `Bearer ${token}`,
      };
      const outcome = await stranger.call('GET', '/page', { headers }).then(
        ({ status }) => status,
        () => 'no handshake',
      );
      assert.ok(outcome === 400 || outcome === 'no handshake', String(outcome));

      // A service that does not answer lets nobody in.
      await server.close();
      const without = await call(url, files.appCa, renewed);
      assert.ok(without.status >= 500, String(without.status));
      assert.deepEqual(app.served, ['edge-1', 'edge-1']);
    },
  );
}

const BY_LIST = needsTool('nginx', 'curl', 'openssl');

test('nginx by the list alone: after the hook has run, a revoked certificate opens nothing', BY_LIST, async (t) => {
  const { server, service, device, app, files, ports, credentials } = await scene(t);
  const url = server.url.replace('127.0.0.1', 'localhost');
  assert.equal(await runHook(files, url, 'true'), 0);
  const list = decodeCrl(parsePem(readFileSync(files.crl, 'utf8'))[0]?.bytes ?? new Uint8Array());
  // Good for a proxy whose clock is some minutes behind.
  assert.ok(list.thisUpdateMs <= Date.now() - 4 * 60_000);
  const nginx = await startNginx(t, 'crl', files, ports);
  assert.equal((await call(nginx.url, files.appCa, credentials)).status, 200);
  assert.match(app.served[0] ?? '', /CN=edge-1/);

  await attestWith(service, device, BAD);
  // It does not ask: until it reads the list it lets the machine in.
  assert.equal((await call(nginx.url, files.appCa, credentials)).status, 200);
  assert.equal(await runHook(files, url, nginx.reload), 0);
  // nginx starts new workers, and then has the old ones end.
  let refused = await call(nginx.url, files.appCa, credentials);
  for (let i = 0; i < 200 && refused.status === 200; i++) {
    await sleep(25);
    refused = await call(nginx.url, files.appCa, credentials);
  }
  assert.equal(refused.status, 400);
  assert.match(String(refused.body), /SSL certificate error/);
  // Nothing to do: nothing is written, and nothing is reloaded.
  const before = statSync(files.crl).mtimeMs;
  assert.equal(await runHook(files, url, 'false'), 0);
  assert.equal(statSync(files.crl).mtimeMs, before);
  // Trusted again, with a new certificate.
  const again = await attestWith(service, device, GOOD);
  const renewed = { ...credentials, cert: pemOf(again.certificate?.chain[0]) };
  assert.equal((await call(nginx.url, files.appCa, renewed)).status, 200);
});

test('the hook keeps the list it has when the new one is not good', needsTool('curl', 'openssl'), async (t) => {
  const { server, service, device, files } = await scene(t);
  const url = server.url.replace('127.0.0.1', 'localhost');
  const run = (change: Readonly<Record<string, string>> = {}) => runHook(files, url, 'true', change);
  assert.equal(await run(), 0);
  const good = readFileSync(files.crl, 'utf8');
  await attestWith(service, device, BAD);
  // Another authority than that of the list; another service; nobody there.
  writeFileSync(`${files.dir}/other.pem`, formatCertificate((await newAuthority('other')).certificate));
  assert.equal(await run({ VOUCHSAFE_CLIENT_CA: `${files.dir}/other.pem` }), 1);
  assert.equal(await run({ VOUCHSAFE_SERVICE_CA: `${files.dir}/other.pem` }), 3);
  assert.equal(await run({ VOUCHSAFE_URL: 'https://localhost:1' }), 3);
  assert.equal(readFileSync(files.crl, 'utf8'), good);
  // One is here that is newer than what is served: an old list, replayed.
  const { crlNumber = 0n } = decodeCrl(parsePem(good)[0]?.bytes ?? new Uint8Array());
  const thisUpdateMs = Math.floor(Date.now() / 1000) * 1000;
  const newer = await issueCrl(
    { crlNumber: crlNumber + 100n, thisUpdateMs, nextUpdateMs: thisUpdateMs + 3_600_000, revoked: [] },
    service.keys.client,
  );
  writeFileSync(files.crl, formatCrl(newer));
  assert.equal(await run(), 1);
  assert.equal(readFileSync(files.crl, 'utf8'), formatCrl(newer));
  writeFileSync(files.crl, good);
  assert.equal(await run(), 0);
  assert.notEqual(readFileSync(files.crl, 'utf8'), good);
});
