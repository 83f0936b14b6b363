// SPDX-License-Identifier: Apache-2.0
import type { Store } from '../../store/open-store.ts';
import type { LogRunner } from '../audit/log-runner.ts';
import { isWanted, kindOfLeaf } from './event-filter.ts';

/** Entries read at a time. */
const PAGE = 200;

/** One event as followers get it: an entry of the audit log. */
export interface FollowedEvent {
  readonly place: number;
  readonly kind: string;
  readonly leaf: string;
}

/**
 * The events from a place on: first those that are there, then each as it comes, until the signal says stop. Nothing is left
 * out between them, whichever instance wrote it; what the log keeps no more is skipped.
 */
export async function* followEvents(
  store: Store,
  runner: LogRunner,
  from: number,
  wanted: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  let next = from;
  while (!signal.aborted) {
    const end = runner.size;
    while (next < end && !signal.aborted) {
      const to = Math.min(next + PAGE, end);
      for (const { place, leaf } of await store.read.audit.entries(next, to)) {
        const kind = kindOfLeaf(leaf);
        if (isWanted(kind, wanted)) yield { place, kind, leaf };
      }
      next = to;
    }
    await growthOf(runner, next, signal);
  }
}

function growthOf(runner: LogRunner, size: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = runner.onGrowth(done);
    signal.addEventListener('abort', done);
    // It may have grown, or been stopped, before there was somebody to call.
    if (runner.size > size || signal.aborted) done();
  });
}
