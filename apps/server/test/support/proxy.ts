// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatCertificate, issueCertificate, OID } from '@vouchsafe/pki';
import { tempDir } from '@vouchsafe/testing';
import type { Client } from './client.ts';
import { newAuthority, newSigner } from './signer.ts';

type Hooks = { after(fn: () => Promise<void> | void): void };

const DOCS = fileURLToPath(new URL('../../../../docs/tasks/grant-access/', import.meta.url));
const HOOK = fileURLToPath(new URL('../../share/vouchsafe-crl-reload', import.meta.url));
const START_MS = 20_000;

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What the proxy protects: says who it was told is calling. */
export async function startApp(t: Hooks): Promise<{ readonly port: number; readonly served: string[] }> {
  const served: string[] = [];
  const server = createServer((request, response) => {
    served.push(String(request.headers['x-vouchsafe-device']));
    response.end(`hello ${request.headers['x-vouchsafe-device']}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, served };
}

/** Files that the configurations name. */
export interface ProxyFiles {
  readonly dir: string;
  /** PEM: the authority of the proxy's own certificate, which callers trust. */
  readonly appCa: string;
  readonly serviceCa: string;
  readonly clientCa: string;
  readonly crl: string;
}

/** @param token of the role proxy. @param address under which callers reach the proxy, beside localhost */
export async function proxyFiles(
  t: Hooks,
  server: { readonly client: Client; readonly caCertificate: string },
  token: string,
  address = '127.0.0.1',
): Promise<ProxyFiles> {
  const dir = tempDir(t);
  // nginx's workers are another user's.
  chmodSync(dir, 0o755);
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const authority = await newAuthority('app');
  const signer = newSigner();
  const certificate = await issueCertificate(
    {
      subject: [{ oid: OID.commonName, text: 'localhost' }],
      serialNumber: 2n,
      validity: authority.certificate.validity,
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: [OID.serverAuth],
      subjectAltName: [
        { kind: 'dns', text: 'localhost' },
        { kind: 'ip', address: Uint8Array.from(address.split('.'), Number) },
      ],
    },
    signer.spki,
    authority,
  );
  write('app.pem', formatCertificate(certificate));
  write('app.key', signer.privateKeyPem);
  write('token.conf', `proxy_set_header Authorization "Bearer ${token}";\n`);
  const clientCa = (await server.client.call('GET', '/v1/authorities/client.pem')).body;
  mkdirSync(join(dir, 'home'));
  return {
    dir,
    appCa: formatCertificate(authority.certificate),
    serviceCa: write('service-ca.pem', server.caCertificate),
    clientCa: write('client-ca.pem', clientCa),
    crl: join(dir, 'client.crl.pem'),
  };
}

/** A configuration of the page, with this test's files and ports in the places of the examples'. */
function configuration(name: string, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(DOCS, name), 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`${name} does not have ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

export interface Proxy {
  readonly url: string;
  readonly port: number;
  /** The command that has it read its files anew. */
  readonly reload: string;
}

/** Where a service and a protected program listen. */
interface Ports {
  readonly service: number;
  readonly app: number;
}

/** A real nginx in the foreground, with one of the page's configurations. */
export async function startNginx(
  t: Hooks,
  kind: 'auth-request' | 'crl',
  { dir, serviceCa, clientCa, crl }: ProxyFiles,
  ports: Ports,
): Promise<Proxy> {
  const port = await freePort();
  const text = configuration(`nginx-${kind}.conf`, {
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    'app.example': 'localhost',
    '/etc/nginx/app.pem': join(dir, 'app.pem'),
    '/etc/nginx/app.key': join(dir, 'app.key'),
    '/etc/vouchsafe/client-ca.pem': clientCa,
    '127.0.0.1:3000': `127.0.0.1:${ports.app}`,
    ...(kind === 'crl'
      ? { '/var/lib/vouchsafe-crl/client.crl.pem': crl }
      : {
          'vouchsafe.example:8443': `127.0.0.1:${ports.service}`,
          'proxy_ssl_name vouchsafe.example': 'proxy_ssl_name localhost',
          '/etc/nginx/vouchsafe-token.conf': join(dir, 'token.conf'),
          '/etc/vouchsafe/service-ca.pem': serviceCa,
        }),
  });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${dir}/${one};`);
  const head = `daemon off;\npid ${dir}/nginx.pid;\nerror_log ${dir}/error.log info;\nworker_processes 1;\n`;
  const path = join(dir, 'nginx.conf');
  const http = `http {\naccess_log off;\n${paths.join('\n')}\n${text}\n}\n`;
  writeFileSync(path, `${head}events { worker_connections 64; }\n${http}`);
  const arguments_ = ['-c', path, '-e', join(dir, 'error.log')];
  const child = spawn('/usr/sbin/nginx', arguments_, { stdio: 'ignore' });
  await untilListening(t, child, port, () => readFileSync(join(dir, 'error.log'), 'utf8'));
  return {
    url: `https://localhost:${port}`,
    port,
    reload: ['/usr/sbin/nginx', ...arguments_, '-s', 'reload'].join(' '),
  };
}

/** A real Caddy, with the page's configuration. */
export async function startCaddy(
  t: Hooks,
  { dir, serviceCa, clientCa }: ProxyFiles,
  ports: Ports,
  token: string,
): Promise<Proxy> {
  const port = await freePort();
  const text = configuration('Caddyfile', {
    'https://app.example': `https://localhost:${port}`,
    '/etc/caddy/app.pem': join(dir, 'app.pem'),
    '/etc/caddy/app.key': join(dir, 'app.key'),
    '/etc/vouchsafe/client-ca.pem': clientCa,
    'vouchsafe.example:8443': `localhost:${ports.service}`,
    '/etc/vouchsafe/service-ca.pem': serviceCa,
    '127.0.0.1:3000': `127.0.0.1:${ports.app}`,
  });
  const path = join(dir, 'Caddyfile');
  writeFileSync(path, `{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n${text}`);
  const home = join(dir, 'home');
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, VOUCHSAFE_PROXY_TOKEN: token };
  const child = spawn('caddy', ['run', '--config', path, '--adapter', 'caddyfile'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await untilListening(t, child, port, () => said);
  return { url: `https://localhost:${port}`, port, reload: 'true' };
}

async function untilListening(t: Hooks, child: ChildProcess, port: number, said: () => string): Promise<void> {
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  for (let waited = 0; ; waited += 25) {
    if (child.exitCode !== null || waited > START_MS) throw new Error(`the proxy did not start: ${said()}`);
    if (await accepts(port)) return;
    await sleep(25);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Runs the shipped hook. @returns its exit status */
export async function runHook(
  files: ProxyFiles,
  url: string,
  reload: string,
  change: Readonly<Record<string, string>> = {},
): Promise<number | null> {
  const env = {
    ...process.env,
    VOUCHSAFE_URL: url,
    VOUCHSAFE_SERVICE_CA: files.serviceCa,
    VOUCHSAFE_CLIENT_CA: files.clientCa,
    VOUCHSAFE_CRL: files.crl,
    VOUCHSAFE_RELOAD: reload,
    ...change,
  };
  const hook = spawn(HOOK, { env, stdio: ['ignore', 'ignore', 'ignore'] });
  const [status] = (await once(hook, 'exit')) as [number | null];
  return status;
}
