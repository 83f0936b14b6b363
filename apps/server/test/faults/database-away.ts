// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Challenge } from '@vouchsafe/protocol';
import { type Answer, createClient } from '../support/client.ts';
import { type Machine, openWorkshop } from '../support/machine.ts';
import type { Postgres } from '../support/postgres.ts';
import { trustedMachine } from '../support/trusted.ts';
import { type Acknowledged, checkAttested, checkAudit } from './kill-rounds.ts';
import { kill, startChild } from './serve-process.ts';

const FLEET = 4;
/** Machines attest for so long before the database goes, and after it is back. */
const AROUND_MS = 2000;
/** A machine that was told to come back does so much sooner here than it was told. */
const AGAIN_MS = 250;

export interface AwayReport {
  readonly awayMs: number;
  /** Acknowledged before and after. */
  readonly attestations: number;
  /** Answered with 503 meanwhile. */
  readonly refused: number;
  readonly longestAnswerMs: number;
  /** From the database's return to the first attestation that is taken. */
  readonly backAfterMs: number;
  /** Of the audit log. */
  readonly entries: number;
}

/**
 * Takes the database away from a service amid attestations and brings it back. Each request is answered meanwhile, what was
 * acknowledged before is there afterwards, and the audit log proves itself. Throws (AssertionError) where that is not so.
 */
export async function databaseAway(postgres: Postgres, stateDir: string, awayMs: number): Promise<AwayReport> {
  const child = await startChild(stateDir, await postgres.createDatabase());
  const { token = '' } = child;
  const client = createClient(child.url, { ca: child.ca });
  try {
    const workshop = await openWorkshop({ client, adminToken: token });
    await workshop.addImage();
    const fleet = [await trustedMachine(workshop)];
    while (fleet.length < FLEET) fleet.push(await workshop.enrolledMachine());
    const attested = fleet.map((): Acknowledged[] => []);
    const told = { isOver: false, refused: 0, longestAnswerMs: 0, backAtMs: Number.POSITIVE_INFINITY, firstAtMs: 0 };
    const busy = fleet.map((machine, i) => attestThroughout(machine, attested[i] as Acknowledged[], told));
    await sleep(AROUND_MS);
    await postgres.stop();
    await sleep(awayMs);
    await postgres.start();
    told.backAtMs = performance.now();
    while (told.firstAtMs === 0) await Promise.race([sleep(5), ...busy]);
    await sleep(AROUND_MS);
    told.isOver = true;
    await Promise.all(busy);
    for (const [i, machine] of fleet.entries()) await checkAttested(client, token, machine, attested[i] ?? []);
    return {
      awayMs,
      attestations: attested.flat().length,
      refused: told.refused,
      longestAnswerMs: told.longestAnswerMs,
      backAfterMs: told.firstAtMs - told.backAtMs,
      entries: await checkAudit(client, token, []),
    };
  } finally {
    client.close();
    await kill(child);
  }
}

interface Told {
  isOver: boolean;
  refused: number;
  longestAnswerMs: number;
  backAtMs: number;
  firstAtMs: number;
}

async function attestThroughout(machine: Machine, acknowledged: Acknowledged[], told: Told): Promise<void> {
  let challenge: Challenge | undefined;
  const answered = async (path: string, body?: unknown): Promise<Answer> => {
    const start = performance.now();
    const answer = await machine.client.call('POST', `/v1/devices/${machine.id}/${path}`, { body });
    told.longestAnswerMs = Math.max(told.longestAnswerMs, performance.now() - start);
    if (answer.status === 503) {
      assert.equal(answer.body.code, 'database_unavailable');
      told.refused += 1;
      await sleep(AGAIN_MS);
    }
    return answer;
  };
  while (!told.isOver) {
    if (challenge === undefined) {
      const given = await answered('challenges');
      if (given.status === 200) challenge = given.body;
      continue;
    }
    const message = machine.evidence(challenge);
    const { status, body } = await answered('evidence', message);
    challenge = undefined;
    if (status === 200) {
      acknowledged.push({ message, atMs: body.verdict.atMs });
      ({ challenge } = body);
      if (performance.now() > told.backAtMs && told.firstAtMs === 0) told.firstAtMs = performance.now();
    }
    // With the database gone just as it committed, a machine cannot know whether its challenge was used.
    else if (status !== 503) assert.match(body.code, /^challenge_(used|expired)$/);
  }
}
