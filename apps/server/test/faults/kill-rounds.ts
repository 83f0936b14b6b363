// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLogKey, verifyAuditLog } from '@vouchsafe/audit';
import { parseJoinToken } from '@vouchsafe/protocol';
import { type Client, createClient } from '../support/client.ts';
import { Machine, openWorkshop } from '../support/machine.ts';
import { SimulatedTpm } from '../support/simulated-tpm.ts';
import { trustedMachine } from '../support/trusted.ts';
import { kill, startChild } from './serve-process.ts';

const FLEET = 4;
/** A kill comes within so much of the first acknowledgement of its round. */
const MAX_WAIT_MS = 1500;

export interface KillRounds {
  readonly stateDir: string;
  readonly databaseUrl?: string | undefined;
  /** Asked before each round. */
  isEnough(rounds: number): boolean;
  onRound?(told: KillReport): void;
}

export interface KillReport {
  rounds: number;
  attestations: number;
  enrolments: number;
  /** Of the audit log. */
  entries: number;
}

export interface Acknowledged {
  readonly message: unknown;
  readonly atMs: number;
}

/**
 * A service that is killed at a random moment of enrolments and attestations, started again, and asked for all that it had
 * acknowledged; round after round on one database. Throws (AssertionError) at the first thing that is lost.
 */
export async function killRounds({ stateDir, databaseUrl, isEnough, onRound }: KillRounds): Promise<KillReport> {
  const report: KillReport = { rounds: 0, attestations: 0, enrolments: 0, entries: 0 };
  let child = await startChild(stateDir, databaseUrl);
  const { token = '' } = child;
  let client = createClient(child.url, { ca: child.ca });
  const workshop = await openWorkshop({ client, adminToken: token });
  await workshop.addImage();
  let fleet = [await trustedMachine(workshop)];
  while (fleet.length < FLEET) fleet.push(await workshop.enrolledMachine());
  const heads: string[] = [];
  try {
    while (!isEnough(report.rounds)) {
      const attested = new Map<string, Acknowledged[]>(fleet.map(({ id }) => [id, []]));
      const enrolled: string[] = [];
      const busy = Promise.allSettled([
        ...fleet.map((machine) => attestForEver(machine, attested.get(machine.id) ?? [])),
        enrolForEver(client, token, workshop.maker, enrolled),
      ]);
      while ([...attested.values()].every(({ length }) => length === 0)) await sleep(5);
      await sleep(Math.random() * MAX_WAIT_MS);
      await kill(child);
      await busy;
      client.close();
      child = await startChild(stateDir, databaseUrl);
      client = createClient(child.url, { ca: child.ca });
      fleet = fleet.map(({ tpm, id, clock, resetCount }) => {
        const again = new Machine(client, tpm);
        return Object.assign(again, { id, clock, resetCount });
      });
      for (const machine of fleet) await checkAttested(client, token, machine, attested.get(machine.id) ?? []);
      for (const id of enrolled) {
        const { status, body } = await client.call('GET', `/v1/devices/${id}`, { token });
        assert.equal(status, 200, `the enrolment of ${id} was acknowledged and is lost: ${JSON.stringify(body)}`);
      }
      report.entries = await checkAudit(client, token, heads);
      report.rounds += 1;
      report.enrolments += enrolled.length;
      for (const { length } of attested.values()) report.attestations += length;
      onRound?.(report);
    }
    return report;
  } finally {
    client.close();
    await kill(child);
  }
}

async function attestForEver(machine: Machine, acknowledged: Acknowledged[]): Promise<void> {
  let challenge = await machine.freshChallenge();
  for (;;) {
    const message = machine.evidence(challenge);
    const { status, body } = await machine.send(message);
    assert.equal(status, 200, JSON.stringify(body));
    acknowledged.push({ message, atMs: body.verdict.atMs });
    ({ challenge } = body);
  }
}

type Maker = Parameters<typeof SimulatedTpm.make>[0];

async function enrolForEver(client: Client, admin: string, maker: Maker, enrolled: string[]): Promise<void> {
  for (;;) {
    const made = await client.call('POST', '/v1/tokens', { token: admin, body: {} });
    const machine = new Machine(client, await SimulatedTpm.make(maker));
    const { body } = await machine.enrol({ kind: 'token', token: parseJoinToken(made.body.text).token });
    assert.equal(body.state, 'enrolled', JSON.stringify(body));
    enrolled.push(machine.id);
  }
}

/** Every verdict that was told is in the list, and what was answered once is answered no second time. */
export async function checkAttested(
  client: Client,
  token: string,
  machine: Machine,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const kept = new Set<number>();
  const oldestMs = Math.min(...acknowledged.map(({ atMs }) => atMs));
  for (let after = ''; ; ) {
    const { body } = await client.call('GET', `/v1/devices/${machine.id}/verdicts${after}`, { token });
    for (const { atMs } of body.items) kept.add(atMs);
    if (body.next === undefined || Number(body.next) < oldestMs) break;
    after = `?after=${body.next}`;
  }
  const lost = acknowledged.filter(({ atMs }) => !kept.has(atMs));
  assert.deepEqual(lost, [], `verdicts of ${machine.id} were acknowledged and are lost`);
  const last = acknowledged.at(-1);
  if (last === undefined) return;
  const { body } = await machine.send(last.message);
  assert.equal(body.code, 'challenge_used');
}

/** The whole log proves itself, and goes on from every head that was seen. @returns its entries */
export async function checkAudit(client: Client, token: string, heads: string[]): Promise<number> {
  const { body } = await client.call('GET', '/v1/audit/head', { token });
  if (body.head === undefined) return 0;
  const answer = await client.call('GET', '/v1/audit?records=true', { token });
  const lines = String(answer.body).trimEnd().split('\n');
  const options = { key: parseLogKey(body.key), knownHeads: [...heads], wantsRecords: true };
  const { findings, size } = await verifyAuditLog(lines, options);
  assert.deepEqual(findings, []);
  heads.push(body.head);
  return size;
}
