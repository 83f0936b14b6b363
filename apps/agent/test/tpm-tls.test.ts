// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { forwardProxy } from '@vouchsafe/agent';
import { needsTool } from '@vouchsafe/testing';
import { pemOf, serverIdentity, testAuthority } from './support/test-authority.ts';
import { NEEDS_TPM, type TestMachine, testMachine } from './support/test-machine.ts';
import { TestService } from './support/test-service.ts';

const run = promisify(execFile);
const NEEDS = { ...NEEDS_TPM, ...needsTool('openssl', 'curl', 'tpm2-abrmd', 'dbus-daemon'), ...needsProvider() };

function needsProvider(): { skip?: string } {
  const folders = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/ossl-modules/tpm2.so`);
  return folders.some((path) => existsSync(path)) ? {} : { skip: 'missing tool: tpm2-openssl' };
}

/**
 * A resource manager, as /dev/tpmrm0 has one in the kernel: OpenSSL's provider keeps more loaded than a bare TPM has room for.
 * @returns what the provider is told of it
 */
async function resourceManager(
  t: TestContext,
  { swtpm }: TestMachine,
): Promise<{ env: NodeJS.ProcessEnv; tcti: string }> {
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => bus.kill());
  const [address] = (await once(bus.stdout, 'data')) as [Buffer];
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: address.toString().trim() };
  const broker = spawn('tpm2-abrmd', ['--session', '--allow-root', `--tcti=swtpm:path=${swtpm.path}`], {
    env,
    stdio: 'ignore',
  });
  t.after(async () => {
    broker.kill();
    await once(broker, 'exit');
  });
  const tcti = 'tabrmd:bus_type=session';
  for (let tries = 0; ; tries++) {
    const probe = await run('tpm2_getrandom', ['-T', tcti, '--hex', '4'], { env }).catch((error: unknown) => error);
    if (!(probe instanceof Error)) return { env, tcti };
    if (tries > 100) throw probe;
    await sleep(50);
  }
}

test(
  'other programs authenticate with the key in the TPM, and through the proxy those that cannot',
  NEEDS,
  async (t) => {
    const machine = await testMachine(t);
    const authority = await testAuthority('CA');
    const service = await TestService.start(authority);
    t.after(() => service.stop());
    const agent = machine.agent();
    const server = { url: service.url, caSha256: service.caSha256 };
    await agent.join({ server, joining: { kind: 'token', token: 'token-for-one-machine' } });
    await agent.attest();
    agent.close();

    // A server that takes machines alone, and says whom it sees.
    const seen: string[] = [];
    const site = createServer(
      {
        ...(await serverIdentity(authority)),
        ca: pemOf(authority.certificate),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.once('end', () => {
          const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
          seen.push(`${request.method} ${request.url} ${request.headers.host} ${peer.subject.CN}`);
          response.end(`hello ${peer.subject.CN} ${Buffer.concat(chunks)}`);
        });
      },
    );
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    t.after(() => site.close());
    let handshakes = 0;
    site.on('secureConnection', () => {
      handshakes += 1;
    });
    const { port } = site.address() as AddressInfo;
    const file = (name: string): string => join(machine.statePath, name);
    const address = `https://127.0.0.1:${port}`;
    const { env, tcti } = await resourceManager(t, machine);
    const opensslEnv = { ...env, OPENSSL_CONF: file('openssl.cnf'), TPM2OPENSSL_TCTI: tcti };

    await t.test('curl, with the files of the state folder', async () => {
      const args = ['-sS', '--cacert', file('ca.crt'), '--cert', file('client.crt'), '--key', file('client.key')];
      const { stdout } = await run('curl', [...args, `${address}/by-curl`], { env: opensslEnv });
      assert.equal(stdout, 'hello machine-1 ');
      // Without the key the server takes nobody.
      await assert.rejects(run('curl', ['-sS', '--cacert', file('ca.crt'), address], { env }));
    });

    await t.test('the proxy: requests with bodies, on one connection, to the servers that were named', async () => {
      const caFile = file('ca.crt');
      const before = process.env['DBUS_SESSION_BUS_ADDRESS'];
      process.env['DBUS_SESSION_BUS_ADDRESS'] = env['DBUS_SESSION_BUS_ADDRESS'];
      t.after(() => {
        if (before === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
        else process.env['DBUS_SESSION_BUS_ADDRESS'] = before;
      });
      const proxy = forwardProxy({ folder: machine.statePath, targets: [{ host: '127.0.0.1', port }], caFile, tcti });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      t.after(() => {
        proxy.closeAllConnections();
        proxy.close();
      });
      const { port: proxyPort } = proxy.address() as AddressInfo;
      const viaProxy = async (...args: string[]): Promise<string> => {
        const shown = ['-sS', '-w', ' %{http_code}', '--proxy', `http://127.0.0.1:${proxyPort}`];
        return (await run('curl', [...shown, ...args], { maxBuffer: 32 * 1024 * 1024 })).stdout;
      };
      const earlier = handshakes;
      assert.equal(await viaProxy(`http://127.0.0.1:${port}/a?b=c`), 'hello machine-1  200');
      const body = file('body');
      // Octets that a client for people would take for commands, and more than a pipe holds.
      writeFileSync(body, `Q\nR\nB\n${'x'.repeat(300_000)}`);
      const echoed = await viaProxy('--data-binary', `@${body}`, `http://127.0.0.1:${port}/post`);
      assert.equal(echoed, `hello machine-1 ${readFileSync(body)} 200`);
      assert.equal(handshakes - earlier, 1);
      assert.deepEqual(seen.slice(-2), [
        `GET /a?b=c 127.0.0.1:${port} machine-1`,
        `POST /post 127.0.0.1:${port} machine-1`,
      ]);
      // No other server, no other kind of request, and none that a page in a browser could make.
      assert.match(await viaProxy('http://other.example/'), / 403$/);
      assert.match(await viaProxy(`http://user:pass@127.0.0.1:${port}/`), /(400|200)$/);
      const direct = await run('curl', ['-sS', '-w', ' %{http_code}', `http://127.0.0.1:${proxyPort}/`]);
      assert.match(direct.stdout, / 400$/);
      const tunnel = connect(proxyPort, '127.0.0.1');
      tunnel.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const [answer] = (await once(tunnel, 'data')) as [Buffer];
      tunnel.destroy();
      assert.match(answer.toString(), /^HTTP\/1.1 405/);
    });

    await t.test('the proxy sends nothing to a server whose certificate is another', async () => {
      const caFile = file('other.crt');
      writeFileSync(caFile, pemOf((await testAuthority('CA')).certificate));
      const proxy = forwardProxy({ folder: machine.statePath, targets: [{ host: '127.0.0.1', port }], caFile, tcti });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      const before = seen.length;
      const { port: proxyPort } = proxy.address() as AddressInfo;
      const args = ['-sS', '-w', ' %{http_code}', '--proxy', `http://127.0.0.1:${proxyPort}`];
      const { stdout } = await run('curl', [...args, `http://127.0.0.1:${port}/`]);
      proxy.closeAllConnections();
      proxy.close();
      assert.match(stdout, /verify error[\s\S]* 502$/);
      assert.equal(seen.length, before);
    });
  },
);
