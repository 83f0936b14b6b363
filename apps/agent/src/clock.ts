// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

/** Time, as the agent needs it; the tests have another. */
export interface Clock {
  /** Only grows, and stands still while the machine sleeps. */
  monotonicMs(): number;
  /** What the machine takes the time to be; it may jump. */
  wallMs(): number;
  /** Returns early when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  },
};

/** A sleep is cut into pieces of this length, after each of which both clocks are looked at. */
const TICK_MS = 15_000;

/**
 * Waits until a time has passed on either clock: the monotonic one stands still in a machine that sleeps, and the wall
 * clock may be set back for years.
 */
export async function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const [monotonic, wall] = [clock.monotonicMs() + ms, clock.wallMs() + ms];
  for (;;) {
    const left = Math.min(monotonic - clock.monotonicMs(), wall - clock.wallMs());
    if (left <= 0 || signal.aborted) return;
    await clock.sleep(Math.min(left, TICK_MS), signal);
  }
}
