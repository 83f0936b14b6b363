// SPDX-License-Identifier: Apache-2.0
import type { Store } from '../../store/open-store.ts';
import type { Log } from '../act.ts';
import { type AuditLogIdentity, sequenceEntries } from './sequencer.ts';

/** How often entries of other instances are looked for. */
const INTERVAL_MS = 1000;
/** Entries that come in so much time get one head, as a head costs a transaction of several statements and a signature. */
const KICK_MS = 200;

/** Keeps the tree up with the entries, and tells those who follow the log how far it goes. */
export interface LogRunner {
  /** Entries that have a place. */
  readonly size: number;
  /** Something was written here: its turn comes soon. */
  kick(): void;
  /** Calls back whenever the log has grown. @returns what ends that */
  onGrowth(listener: () => void): () => void;
  /** Resolves when all that was written before has a place. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export function startLogRunner(store: Store, identity: AuditLogIdentity, clock: () => number, log: Log): LogRunner {
  const listeners = new Set<() => void>();
  let size = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isKicked = false;

  async function round(): Promise<void> {
    try {
      while ((await sequenceEntries(store, identity, clock())) > 0);
      const now = (await store.read.audit.newestHead())?.size ?? 0;
      if (now === size) return;
      size = now;
      for (const listener of listeners) listener();
    } catch (error) {
      // Entries wait in the database; the next round takes them.
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'the audit log waits');
    }
  }
  const run = (): Promise<void> => {
    running ??= round().finally(() => {
      running = undefined;
    });
    return running;
  };
  const schedule = (afterMs: number): void => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      isKicked = false;
      void run().then(() => isKicked || schedule(INTERVAL_MS));
    }, afterMs);
    timer.unref();
  };
  schedule(0);
  return {
    get size() {
      return size;
    },
    kick() {
      // Not put off by the next: under load one comes all the time.
      if (isKicked) return;
      isKicked = true;
      schedule(KICK_MS);
    },
    onGrowth(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async settle() {
      await running;
      await run();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
