// SPDX-License-Identifier: Apache-2.0
import { deliverWebhooks } from '../domain/events/deliver-webhooks.ts';
import { allowedAddresses } from '../domain/events/safe-address.ts';
import { forgetOld } from '../domain/retention.ts';
import type { Service } from '../domain/service.ts';

const SECOND_MS = 1000;
/** How often webhooks that wait are looked for; what happens here is told at once. */
const WEBHOOK_MS = 5 * SECOND_MS;
/** How often what is too old is looked for. */
const RETENTION_MS = 3600 * SECOND_MS;

/** Work that goes on beside requests. Every instance does it; what must be done once is settled in the database. */
export interface Jobs {
  /** Ends after what is under way. */
  stop(): Promise<void>;
}

export function startGrantJobs(service: Service): Jobs {
  const { store, keys, clock, config, auditLog, log } = service;
  const { webhooks } = config.grants;
  const allowed = allowedAddresses(webhooks.allow);
  const delivery = { store, ring: keys.ring, allowed, allowHttp: webhooks.allowHttp, now: clock };
  const deliver = startJob(log, 'webhooks', WEBHOOK_MS, () => deliverWebhooks(delivery, auditLog.size));
  const forget = startJob(log, 'retention', RETENTION_MS, () => forgetOld(service));
  const unfollow = auditLog.onGrowth(deliver.now);
  return {
    async stop() {
      unfollow();
      await Promise.all([deliver.stop(), forget.stop()]);
    },
  };
}

/** Does something now and then, never twice at once. A failure is told of and tried again the next time. */
function startJob(log: Service['log'], name: string, everyMs: number, work: () => Promise<unknown>) {
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isStopped = false;
  const run = async (): Promise<void> => {
    do {
      isWanted = false;
      await work().catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        log.warn({ job: name, error: message }, 'a job failed; it is tried again');
      });
    } while (isWanted && !isStopped);
  };
  const now = (): void => {
    isWanted = true;
    if (isStopped) return;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(now, everyMs);
  timer.unref();
  now();
  return {
    now,
    async stop(): Promise<void> {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
