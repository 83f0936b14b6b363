// SPDX-License-Identifier: Apache-2.0
// A service on this host, an operator with the command, and a machine whose TPM its maker certified.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type BootResult,
  FIRMWARE_VARIABLES,
  HOST_ADDRESS,
  Machine,
  type MachineRequest,
  manufactureTpm,
  runVouchsafe,
  writeAgentRecipe,
} from '@vouchsafe/lab';
import { type RunningServer, type ServerConfig, startServer } from '@vouchsafe/server';

const COMMAND = fileURLToPath(new URL('../../../../vouchsafe', import.meta.url));
const run = promisify(execFile);
/** Node.js under emulation takes its time, and other machines may run beside this one. */
const BOOT_MS = 900_000;

/** A machine asks for a step while it runs, with what it has to say, and waits for the answer. */
export type Steps = Readonly<Record<string, (said: string) => Promise<string>>>;

export interface AgentImage {
  readonly disk: string;
  readonly manifest: string;
}

export interface Boot {
  readonly image: AgentImage;
  /** Shell lines. `agent VERB …` runs the agent, `step NAME` waits for a step here. */
  readonly script: readonly string[];
  readonly steps?: Steps;
  /** Of an earlier boot of the same machine: what its agent kept. */
  readonly kept?: string;
  readonly request?: Partial<MachineRequest>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Uint8Array;
}

export interface Scene {
  readonly dir: string;
  readonly server: RunningServer;
  /** A variable store with our keys, so that Secure Boot is on. */
  readonly firmwareVariables: string;
  readonly tpmState: string;
  /** Runs the command as an operator of the service. @returns its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they know is there
  operate(...args: readonly string[]): Promise<any>;
  /** A request to the service; as the first admin unless other headers are given. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  buildImage(version: string): AgentImage;
  manufacture(name: string): Promise<string>;
  boot(boot: Boot): Promise<BootResult>;
  close(): Promise<void>;
}

/** @param dir goes after `close`. */
export async function openScene(dir: string, config: Partial<ServerConfig> = {}): Promise<Scene> {
  const keys = join(dir, 'keys');
  const firmwareVariables = join(dir, 'variables.fd');
  const agentBundle = join(dir, 'agent.cjs');
  runVouchsafe('keys', 'generate', keys);
  runVouchsafe('keys', 'enroll', keys, '--vars', FIRMWARE_VARIABLES, '-o', firmwareVariables);
  runVouchsafe('agent', 'bundle', '-o', agentBundle);
  const authorityDir = join(dir, 'authority');
  const manufacture = async (name: string) => await manufactureTpm(join(dir, name), authorityDir, name);
  const { stateDir: tpmState, authority } = await manufacture('edge-1');

  const port = await freePort();
  const server = await startServer({
    stateDir: join(dir, 'service'),
    listen: { host: '127.0.0.1', port },
    publicUrl: `https://${HOST_ADDRESS}:${port}`,
    log: { level: 'silent' },
    ...config,
  });
  const service = join(dir, 'admin.json');
  const admin = { url: `https://127.0.0.1:${port}`, ca: server.caCertificate, token: server.firstAdminToken };
  writeFileSync(service, JSON.stringify(admin), { mode: 0o600 });
  const operate = async (...args: readonly string[]) => {
    const { stdout } = await run(COMMAND, [...args, '--service', service, '--json'], { encoding: 'utf8' });
    return JSON.parse(stdout);
  };
  const call = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    httpsCall(`${admin.url}${path}`, method, admin.ca, {
      ...options,
      headers: { authorization: `Bearer ${admin.token}`, ...options.headers },
    });
  await operate('trust', 'add', '--for', 'tpm-maker', authority.root, authority.issuer);
  await operate('trust', 'add', '--for', 'manifest-signer', join(keys, 'manifest.crt'));

  const buildImage = (version: string): AgentImage => {
    const folder = join(dir, `image-${version}`);
    mkdirSync(folder);
    const recipe = writeAgentRecipe(folder, {
      name: 'edge',
      version,
      keys,
      agentBundle,
      more: ['ima: { policy: tcb }'],
    });
    runVouchsafe('image', 'build', recipe, '-o', join(folder, 'out'));
    const base = join(folder, 'out', `edge_${version}`);
    return { disk: `${base}.raw`, manifest: `${base}.manifest.json` };
  };

  const boot = async ({ image, script, steps = {}, kept, request = {} }: Boot): Promise<BootResult> => {
    const desk = await openDesk({ ...steps, script: async () => scriptText(script), kept: async () => kept ?? '' });
    try {
      const address = `http://${HOST_ADDRESS}:${desk.port}`;
      const machine = await Machine.start({
        ...{ disk: image.disk, firmwareVariables, tpmState, network: {}, shape: { memoryMib: 1024, processors: 2 } },
        ...request,
        timeoutMs: BOOT_MS,
        // The serial port takes little at a time.
        orders: [`export DESK=${address}; wget -qO /run/script $DESK/script && sh /run/script`],
      });
      const result = await machine.ended;
      assert.equal(result.outcome, 'reported', result.serial);
      assert.deepEqual(desk.failures, []);
      return result;
    } finally {
      await desk.close();
    }
  };
  return {
    ...{ dir, server, firmwareVariables, tpmState, operate, call, buildImage, boot },
    manufacture: async (name) => (await manufacture(name)).stateDir,
    close: () => server.close(),
  };
}

const scriptText = (lines: readonly string[]): string =>
  [
    'agent() { verb=$1; shift; node /usr/lib/vouchsafe/vouchsafe-agent.cjs "$verb" --state /run/vouchsafe "$@"; }',
    'step() { if [ -n "$2" ]; then wget -qO- --post-file "$2" "$DESK/$1"; else wget -qO- "$DESK/$1"; fi; }',
    'step kept >/run/vouchsafe/state.json; [ -s /run/vouchsafe/state.json ] || rm /run/vouchsafe/state.json',
    ...lines,
    'cp /run/vouchsafe/* .',
    '',
  ].join('\n');

/** Answers the machine's questions in plain HTTP. */
async function openDesk(steps: Steps) {
  const failures: unknown[] = [];
  const server: Server = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const step = steps[(request.url ?? '').slice(1)];
      assert.ok(step, `a step ${request.url}`);
      return await step(Buffer.concat(chunks).toString('utf8'));
    };
    answer().then(
      (text) => response.end(text),
      (error: unknown) => {
        failures.push(error);
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    failures,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function httpsCall(url: string, method: string, ca: string, { body, headers = {} }: CallOptions): Promise<Answer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, { method, ca, agent: false, headers: { ...type, ...headers } }, (incoming) => {
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
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const textOf = ({ results }: BootResult, name: string): string =>
  Buffer.from(results.get(name) ?? new Uint8Array()).toString('utf8');

/** What the agent printed into a file. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at what they know is there
export function printed(boot: BootResult, name: string): any {
  const text = textOf(boot, name);
  assert.notEqual(text, '', `${name} is empty; the guest said:\n${textOf(boot, 'orders.output')}`);
  return JSON.parse(text);
}

/** Codes of the findings of a verdict, each once. */
export const codesOf = (verdict: { readonly findings: readonly { readonly code: string }[] }): string[] =>
  [...new Set(verdict.findings.map(({ code }) => code))].sort();
