// SPDX-License-Identifier: Apache-2.0
// A service on this host, an operator with the command, and a machine whose TPM its maker certified.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
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
import type { ServerConfig } from '@vouchsafe/server';
import { openService, type ServedService } from './served-service.ts';

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
  /** Shell lines. `agent VERB …` runs the agent with the state in $STATE, `step NAME` waits for a step here. */
  readonly script: readonly string[];
  readonly steps?: Steps;
  /** Of an earlier boot of the same machine: what its agent kept. */
  readonly kept?: string;
  readonly request?: Partial<MachineRequest>;
}

export interface ImageChoice {
  /** With what `agent proxy` takes; it makes an image larger and its boot slower. */
  readonly hasTpmTls?: boolean;
  /** Further lines of the recipe. */
  readonly more?: readonly string[];
}

export interface Scene extends ServedService {
  readonly dir: string;
  /** A variable store with our keys, so that Secure Boot is on. */
  readonly firmwareVariables: string;
  readonly tpmState: string;
  /** Tells another service whom to trust: the maker of the TPMs, the signer of manifests. */
  introduce(service: ServedService): Promise<void>;
  buildImage(version: string, choice?: ImageChoice): AgentImage;
  manufacture(name: string): Promise<string>;
  boot(boot: Boot): Promise<BootResult>;
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

  const service = await openService(dir, config);
  const introduce = async ({ operate }: ServedService): Promise<void> => {
    await operate('trust', 'add', '--for', 'tpm-maker', authority.root, authority.issuer);
    await operate('trust', 'add', '--for', 'manifest-signer', join(keys, 'manifest.crt'));
  };
  await introduce(service);

  const buildImage = (version: string, { hasTpmTls = false, more = [] }: ImageChoice = {}): AgentImage => {
    const folder = join(dir, `image-${version}`);
    mkdirSync(folder);
    const recipe = writeAgentRecipe(folder, {
      name: 'edge',
      version,
      keys,
      agentBundle,
      hasTpmTls,
      more: ['ima: { policy: tcb }', ...more],
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
        ...{ disk: image.disk, firmwareVariables, tpmState, network: {}, shape: { memoryMib: 1024, processors: 1 } },
        ...request,
        timeoutMs: BOOT_MS,
        // The serial port takes little at a time.
        orders: [`export DESK=${address}; wget -qO /run/script $DESK/script && sh /run/script`],
      });
      const result = await machine.ended;
      assert.equal(result.outcome, 'reported', result.serial);
      assert.equal(
        desk.failures.length,
        0,
        `${desk.failures.map(String)}; the guest said:\n${textOf(result, 'orders.output')}`,
      );
      return result;
    } finally {
      await desk.close();
    }
  };
  return {
    ...service,
    ...{ dir, firmwareVariables, tpmState, introduce, buildImage, boot },
    manufacture: async (name) => (await manufacture(name)).stateDir,
  };
}

const scriptText = (lines: readonly string[]): string =>
  [
    'STATE=/run/vouchsafe',
    'agent() { verb=$1; shift; node /usr/lib/vouchsafe/vouchsafe-agent.cjs "$verb" --state "$STATE" "$@"; }',
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
