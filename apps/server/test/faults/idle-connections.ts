// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { createClient } from '../support/client.ts';
import { openWorkshop } from '../support/machine.ts';
import { trustedMachine } from '../support/trusted.ts';
import { kill, startChild } from './serve-process.ts';

const AT_ONCE = 32;
const ATTESTATIONS = 100;

export interface IdleReport {
  readonly connections: number;
  /** Resident memory of the service before them and with them, in MiB. */
  readonly beforeMiB: number;
  readonly withThemMiB: number;
  /** Of an attestation while they are open, in ms. */
  readonly medianMs: number;
  readonly longestMs: number;
}

/**
 * Connections that were used once and are kept, as those of machines between two attestations. A machine attests meanwhile, and
 * the service closes none of them. Throws (AssertionError) where that is not so.
 */
export async function idleConnections(stateDir: string, count: number): Promise<IdleReport> {
  const child = await startChild(stateDir, undefined);
  const client = createClient(child.url, { ca: child.ca });
  const idle: TLSSocket[] = [];
  try {
    const workshop = await openWorkshop({ client, adminToken: child.token ?? '' });
    await workshop.addImage();
    const alice = await trustedMachine(workshop, 'alice');
    const beforeMiB = residentMiB(child.process.pid);
    let left = count;
    const open = async (): Promise<void> => {
      while (left-- > 0) idle.push(await usedOnce(child.url, child.ca));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, open));
    const withThemMiB = residentMiB(child.process.pid);
    const times: number[] = [];
    for (let i = 0; i < ATTESTATIONS; i++) {
      const start = performance.now();
      const { status, body } = await alice.attest();
      assert.equal(status, 200, JSON.stringify(body));
      times.push(performance.now() - start);
    }
    assert.equal(idle.filter((socket) => socket.closed || socket.readableEnded).length, 0, 'connections were closed');
    times.sort((a, b) => a - b);
    const [medianMs, longestMs] = [times[ATTESTATIONS / 2] as number, times.at(-1) as number];
    return { connections: idle.length, beforeMiB, withThemMiB, medianMs, longestMs };
  } finally {
    for (const socket of idle) socket.destroy();
    client.close();
    await kill(child);
  }
}

async function usedOnce(url: string, ca: string): Promise<TLSSocket> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), ca });
  await once(socket, 'secureConnect');
  // Afterwards its end is looked at, not thrown.
  socket.on('error', () => {});
  socket.write('GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);
  socket.resume();
  return socket;
}

const residentMiB = (pid: number | undefined): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
