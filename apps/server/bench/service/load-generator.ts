// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from 'node:https';
import type { AttestationResult, Challenge } from '@vouchsafe/protocol';
import { verifyEar } from '../../src/domain/results/ear-token.ts';
import type { SigningJwk } from '../../src/domain/results/jws.ts';
import { type LoadBoot, type LoadDevice, quoteEvidence } from './load-device.ts';
import type { MeasuredServer } from './measured-server.ts';

export interface LoadOptions {
  /** Requests under way at once, each on a connection of its own. */
  readonly concurrency: number;
  readonly keepAlive?: boolean;
  /** A TPM's clock at a time of the service's. */
  readonly clockAt: (nowMs: number) => number;
  readonly boot: LoadBoot;
}

export interface Counts {
  attestations: number;
  certificates: number;
}

/** Machines over HTTPS. Every answer must be a trusted verdict with a result, and one in a hundred of these is verified. */
export function createGenerator(server: MeasuredServer, options: LoadOptions) {
  const { concurrency, keepAlive = true, clockAt, boot } = options;
  const { hostname, port } = new URL(server.url);
  const agent = new Agent({
    keepAlive,
    maxSockets: concurrency,
    ca: server.ca,
    // Without it each connection is a whole handshake.
    ...(keepAlive ? {} : { maxCachedSessions: 0 }),
  });
  const counts: Counts = { attestations: 0, certificates: 0 };
  let keys: readonly SigningJwk[] = [];

  const call = (method: string, path: string, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
      const outgoing = request({ hostname, port, method, path, agent, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (incoming.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path}: ${incoming.statusCode} ${text}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const nowMs = (): number => Date.now() + server.aheadMs;

  async function greet(device: LoadDevice): Promise<void> {
    device.challenge = JSON.parse(await call('POST', `/v1/devices/${device.id}/challenges`)) as Challenge;
  }

  async function attest(device: LoadDevice, booted = boot): Promise<void> {
    if (device.challenge === undefined) await greet(device);
    const evidence = quoteEvidence(device.key, device.challenge as Challenge, booted, clockAt(nowMs()));
    const text = await call('POST', `/v1/devices/${device.id}/evidence`, JSON.stringify(evidence));
    const result = JSON.parse(text) as AttestationResult;
    device.challenge = result.challenge;
    if (!result.verdict.isTrusted) throw new Error(`${device.id} is not trusted: ${text}`);
    counts.attestations += 1;
    if (result.certificate !== undefined) counts.certificates += 1;
    if (counts.attestations % 100 === 0) {
      if (keys.length === 0) ({ keys } = JSON.parse(await call('GET', '/v1/jwks.json')) as { keys: SigningJwk[] });
      if (verifyEar(result.ear, keys, nowMs()) === undefined) throw new Error(`not an EAR: ${result.ear}`);
    }
  }

  /** Each device once, as fast as they are answered. @param booted in another boot than that of the options. */
  async function round(devices: readonly LoadDevice[], booted = boot): Promise<void> {
    let next = 0;
    const run = async (): Promise<void> => {
      for (let device = devices[next++]; device !== undefined; device = devices[next++]) {
        await attest(device, booted);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, run));
  }

  /**
   * Devices at an even rate, whether the service keeps up or not: what waits counts.
   * @returns milliseconds from when each was due until its answer
   */
  async function paced(devices: readonly LoadDevice[], perSecond: number): Promise<number[]> {
    const startMs = performance.now();
    const latencies: number[] = [];
    await Promise.all(
      devices.map(async (device, i) => {
        const dueMs = startMs + (i * 1000) / perSecond;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
        await attest(device);
        latencies.push(performance.now() - dueMs);
      }),
    );
    return latencies;
  }

  return { counts, greet, attest, round, paced, call, close: () => agent.destroy() };
}
