// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import type { Agent } from './agent.ts';
import type { AgentEvent } from './agent-event.ts';
import { backoffMs, spreadMs } from './backoff.ts';
import { type Clock, systemClock, waitFor } from './clock.ts';
import { AgentError, type AgentErrorCode } from './error.ts';

export interface RunOptions {
  /** Ends the run. What is under way is broken off. */
  readonly signal: AbortSignal;
  readonly report: (event: AgentEvent) => void;
  readonly clock?: Clock;
  /** From 0 to below 1, for waits. */
  readonly random?: () => number;
  /** Called when a step begins, and undefined when it has ended: for a watchdog. */
  readonly onStep?: (isUnderWay: boolean) => void;
}

/** What waiting does not mend: somebody has to do something on this machine. */
const FATAL: readonly AgentErrorCode[] = ['not_enrolled', 'state_malformed', 'state_exposed'];

/** No verdict asks for less; a service that is broken must not be asked without a pause. */
const LEAST_MS = 1000;

/**
 * Attests when told, until the signal comes. Whatever fails is tried again, later each time; nothing but a state folder that
 * cannot be used ends it.
 * @throws {AgentError} 'not_enrolled', 'state_malformed', 'state_exposed'
 */
export async function runAgent(agent: Agent, options: RunOptions): Promise<void> {
  const { signal, report, clock = systemClock, random = Math.random, onStep = () => {} } = options;
  const stop = (): void => agent.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let failures = 0; !signal.aborted; ) {
      let waitMs: number;
      onStep(true);
      try {
        waitMs = Math.max(LEAST_MS, spreadMs(await step(agent, report), random()));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!isVouchsafeError(error) || isFatal(error)) throw error;
        failures += 1;
        const wishMs = error instanceof AgentError ? (error.problem?.retryAfterMs ?? 0) : 0;
        waitMs = backoffMs(failures, random(), wishMs);
        report({ kind: 'failed', error, againInMs: waitMs });
      } finally {
        onStep(false);
      }
      await waitFor(clock, waitMs, signal);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    agent.close();
  }
}

/** @returns milliseconds until the next step */
async function step(agent: Agent, report: (event: AgentEvent) => void): Promise<number> {
  if (agent.state?.enrolment.state !== 'enrolled') {
    const outcome = await agent.continueEnrolment();
    if (outcome.state === 'awaiting-approval') {
      report({ kind: 'awaiting-approval', askAgainAfterMs: outcome.askAgainAfterMs });
      return outcome.askAgainAfterMs;
    }
    report({ kind: 'enrolled', deviceId: outcome.kept.enrolment.deviceId });
  }
  const { verdict, certificate, nextInMs } = await agent.attest();
  report({ kind: 'attested', verdict, nextInMs });
  if (certificate !== undefined) report({ kind: 'certificate', notAfterMs: certificate.notAfterMs });
  return nextInMs;
}

const isFatal = (error: unknown): boolean => error instanceof AgentError && FATAL.includes(error.code);
