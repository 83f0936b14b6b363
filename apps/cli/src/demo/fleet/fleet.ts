// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type AgentState, httpsTransport, type LogSources, type Transport } from '@vouchsafe/agent';
import type { Authority } from '@vouchsafe/pki';
import { createdToken, parseJoinToken } from '@vouchsafe/protocol';
import { ServiceClient } from '../../service/service-client.ts';
import type { ServiceFile } from '../../service/service-file.ts';
import { DemoError } from '../error.ts';
import type { RecordedBoot } from './recorded-boot.ts';
import { SimulatedTpm } from './simulated-tpm.ts';

/** Machines that are busy at a time, and connections that they share. */
const AT_ONCE = 16;
/** How often it is said how far it is. */
const PROGRESS_MS = 2000;
const ID_DIGITS = 5;

export interface FleetRequest {
  readonly size: number;
  /** The admin's. */
  readonly service: ServiceFile;
  /** Whoever trusts it takes the machines in. */
  readonly maker: Authority;
  /** What all of them have booted. */
  readonly boot: RecordedBoot;
  readonly onProgress: (text: string) => void;
}

/** What became of the machines. */
export interface FleetOutcome {
  readonly size: number;
  readonly trusted: number;
  readonly certificates: number;
  /** Why others are not trusted: codes of findings, how often each. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly joinSeconds: number;
  readonly attestSeconds: number;
}

/** Machines with a TPM that is none and the product's own agent: they join, attest, and attest on until they are told to stop. */
export class Fleet implements Disposable {
  readonly #agents: readonly Agent[];
  readonly #transports: readonly Transport[];
  readonly outcome: FleetOutcome;

  private constructor(agents: readonly Agent[], transports: readonly Transport[], outcome: FleetOutcome) {
    this.#agents = agents;
    this.#transports = transports;
    this.outcome = outcome;
  }

  /** Each joins with a token of its own, and attests once. @throws {DemoError} @throws {AgentError} @throws {ServiceClientError} */
  static async join({ size, service, maker, boot, onProgress }: FleetRequest): Promise<Fleet> {
    const transports = Array.from({ length: AT_ONCE }, () => httpsTransport({ url: service.url, ca: service.ca }));
    try {
      using operator = new ServiceClient(service);
      const told = progressOf(size, onProgress);
      const joinedAtMs = performance.now();
      const agents = await inTurns(size, async (i) => {
        const tpm = await SimulatedTpm.make(maker, boot.pcrs, () => performance.now(), Date.now());
        const agent = newAgent(tpm, boot.logs, transports[i % AT_ONCE] as Transport);
        const device = `fleet-${String(i + 1).padStart(ID_DIGITS, '0')}`;
        const { text } = await operator.send(createdToken, 'POST', '/v1/tokens', { deviceId: device });
        const { token } = parseJoinToken(text);
        const server = { url: service.url, caPem: service.ca };
        const { state } = await agent.join({ server, joining: { kind: 'token', token } });
        if (state !== 'enrolled')
          throw new DemoError('step_failed', `${device}: expected to be enrolled, found ${state}`);
        told('joined');
        return agent;
      });
      const attestedAtMs = performance.now();
      const results = await inTurns(size, async (i) => {
        const result = await (agents[i] as Agent).attest();
        told('attested');
        return result;
      });
      const reasons: Record<string, number> = {};
      for (const { verdict } of results) {
        if (verdict.isTrusted) continue;
        const codes = new Set(verdict.findings.filter(({ severity }) => severity === 'error').map(({ code }) => code));
        for (const code of codes) reasons[code] = (reasons[code] ?? 0) + 1;
      }
      return new Fleet(agents, transports, {
        size,
        trusted: results.filter(({ verdict }) => verdict.isTrusted).length,
        certificates: results.filter(({ certificate }) => certificate !== undefined).length,
        reasons,
        joinSeconds: secondsBetween(joinedAtMs, attestedAtMs),
        attestSeconds: secondsBetween(attestedAtMs, performance.now()),
      });
    } catch (error) {
      for (const transport of transports) transport.close();
      throw error;
    }
  }

  /** Has them attest again and again, so that they stay trusted, until the signal says stop. A failure is tried again. */
  async attestOn(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await inTurns(this.#agents.length, async (i) => {
        if (!signal.aborted) await (this.#agents[i] as Agent).attest().catch(() => {});
      });
    }
  }

  [Symbol.dispose](): void {
    for (const transport of this.#transports) transport.close();
  }
}

/** The agent as it is, with its state in memory, over a connection that others use too. */
function newAgent(tpm: SimulatedTpm, logs: LogSources, transport: Transport): Agent {
  let state: AgentState | undefined;
  const store = {
    read: () => state,
    write: (next: AgentState) => {
      state = next;
    },
  };
  const shared: Transport = { post: (path, body) => transport.post(path, body), close: () => {} };
  return new Agent({ store, tpm, logs, connect: async () => shared });
}

/** Does something for each number below `count`, so many at a time. The first failure ends it. */
async function inTurns<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      try {
        results[i] = await work(i);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
  return results;
}

function progressOf(size: number, onProgress: (text: string) => void): (what: string) => void {
  const done = new Map<string, number>();
  let toldMs = performance.now();
  return (what) => {
    const count = (done.get(what) ?? 0) + 1;
    done.set(what, count);
    if (count < size && performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    onProgress(`${count} of ${size} have ${what}`);
  };
}

const secondsBetween = (fromMs: number, toMs: number): number => Math.round((toMs - fromMs) / 10) / 100;
