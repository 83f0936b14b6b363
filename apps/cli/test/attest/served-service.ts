// SPDX-License-Identifier: Apache-2.0
// A service on this host with an operator who has the command: in one process with SQLite, or as two instances on one PostgreSQL
// behind one address.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HOST_ADDRESS } from '@vouchsafe/lab';
import { type RunningServer, type ServerConfig, startServer } from '@vouchsafe/server';

const COMMAND = fileURLToPath(new URL('../../../../vouchsafe', import.meta.url));
const run = promisify(execFile);

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Uint8Array;
}

/** A request; as the first admin unless other headers are given. */
export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

export interface ServedService {
  /** The first instance. */
  readonly server: RunningServer;
  /** On this host's loopback. */
  readonly port: number;
  readonly ca: string;
  /** Runs the command as an operator of the service. @returns its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they know is there
  operate(...args: readonly string[]): Promise<any>;
  readonly call: Call;
  close(): Promise<void>;
}

/** Evidence that came through the address that two instances share. */
export interface SeenEvidence {
  /** The instance that it was given to. */
  readonly instance: 0 | 1;
  readonly body: string;
  readonly status: number;
}

export interface TwoInstances extends ServedService {
  /** The same, at one of the two alone. */
  readonly callAt: readonly [Call, Call];
  readonly evidence: readonly SeenEvidence[];
}

/** @param dir for its state folder and the operator's file. */
export async function openService(dir: string, config: Partial<ServerConfig> = {}): Promise<ServedService> {
  const port = await freePort();
  const server = await startServer({
    stateDir: join(dir, 'service'),
    listen: { host: '127.0.0.1', port },
    publicUrl: `https://${HOST_ADDRESS}:${port}`,
    log: { level: 'silent' },
    ...config,
  });
  return { server, port, close: () => server.close(), ...operatorOf(dir, port, server) };
}

/**
 * Two instances that share a database, the key of secrets and the certificate; and what stands before them: it gives each
 * piece of evidence to the other instance than the last one, and never to the one that its challenge is from.
 */
export async function openTwoInstances(
  dir: string,
  databaseUrl: string,
  config: Partial<ServerConfig> = {},
): Promise<TwoInstances> {
  const port = await freePort();
  const stateDir = join(dir, 'first');
  const tls = { certificatePath: join(stateDir, 'tls/server.pem'), keyPath: join(stateDir, 'tls/server.key') };
  const common = {
    publicUrl: `https://${HOST_ADDRESS}:${port}`,
    listen: { host: '127.0.0.1', port: 0 },
    log: { level: 'silent' },
    databaseUrl,
    ...config,
  } as const;
  const first = await startServer({ ...common, stateDir });
  const grants = { secretKey: { kind: 'file', path: join(stateDir, 'secrets.key') } } as const;
  const second = await startServer({ ...common, stateDir: join(dir, 'second'), tls, grants });
  const evidence: SeenEvidence[] = [];
  const balancer = await openBalancer(port, [first.port, second.port], tls, first.caCertificate, evidence);
  const close = async (): Promise<void> => {
    balancer.closeAllConnections();
    balancer.close();
    await Promise.all([first.close(), second.close()]);
  };
  const operator = operatorOf(dir, port, first);
  const callAt = ({ port: at }: RunningServer): Call => callerOf(at, operator.ca, first.firstAdminToken ?? '');
  return { server: first, port, close, evidence, callAt: [callAt(first), callAt(second)], ...operator };
}

async function openBalancer(
  port: number,
  instances: readonly [number, number],
  tls: NonNullable<ServerConfig['tls']>,
  ca: string,
  evidence: SeenEvidence[],
) {
  const server = createHttpsServer(
    { cert: readFileSync(tls.certificatePath), key: readFileSync(tls.keyPath) },
    async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const [body, { url = '', method = '', headers }] = [Buffer.concat(chunks), incoming];
      const isEvidence = /^\/v1\/devices\/[^/]+\/evidence$/.test(url);
      const instance = ((evidence.length + (isEvidence ? 0 : 1)) % 2) as 0 | 1;
      const { host: _host, connection: _connection, ...kept } = headers;
      const outgoing = httpsRequest(
        { host: '127.0.0.1', port: instances[instance], path: url, method, ca, agent: false, headers: kept },
        (answer) => {
          const status = answer.statusCode ?? 502;
          if (isEvidence) evidence.push({ instance, body: body.toString('utf8'), status });
          const { connection: _of, 'keep-alive': _alive, 'transfer-encoding': _coding, ...said } = answer.headers;
          response.writeHead(status, said);
          answer.pipe(response);
        },
      );
      outgoing.once('error', () => response.destroy());
      outgoing.end(body);
    },
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

function operatorOf(dir: string, port: number, { caCertificate: ca, firstAdminToken: token = '' }: RunningServer) {
  const service = join(dir, 'admin.json');
  writeFileSync(service, JSON.stringify({ url: `https://127.0.0.1:${port}`, ca, token }), { mode: 0o600 });
  const operate = async (...args: readonly string[]) => {
    const { stdout } = await run(COMMAND, [...args, '--service', service, '--json'], { encoding: 'utf8' });
    return JSON.parse(stdout);
  };
  return { ca, operate, call: callerOf(port, ca, token) };
}

function callerOf(port: number, ca: string, token: string): Call {
  return (method, path, { body, headers = {} } = {}) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const all = {
      authorization: `Bearer ${token}`,
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const options = { host: '127.0.0.1', port, path, method, ca, agent: false, headers: all } as const;
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes: Buffer.concat(chunks) }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What an answer says in JSON. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at what they know is there
export const bodyOf = ({ bytes }: Answer): any => JSON.parse(Buffer.from(bytes).toString('utf8'));
