// SPDX-License-Identifier: Apache-2.0
import { tellOfStaleDevices } from '../domain/devices/stale-devices.ts';
import type { Service } from '../domain/service.ts';

/** Work that comes round by itself. */
export interface Jobs {
  /** Starts no more, and waits for what is under way. */
  stop(): Promise<void>;
}

const STALE_EVERY_MS = 5_000;
const CLEAN_EVERY_MS = 60_000;

/** Every instance does all of it: each piece is done by whoever comes first, and twice does no harm. */
export function startJobs(service: Service): Jobs {
  const stops = [
    every(service, STALE_EVERY_MS, 'stale devices', async () => {
      await tellOfStaleDevices(service);
    }),
    every(service, CLEAN_EVERY_MS, 'cleaning', async () => {
      const nowMs = service.clock();
      await service.store.write(async (tx) => {
        await tx.attestations.removeOldNonces(nowMs);
        await tx.enrolments.removeExpired(nowMs);
      });
    }),
  ];
  return {
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

/** One round after the other; one that fails is told of, and the next comes all the same. */
function every(service: Service, periodMs: number, name: string, run: () => Promise<void>): () => Promise<void> {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    try {
      await run();
    } catch (error) {
      service.log.error({ job: name, error: error instanceof Error ? error.message : String(error) }, 'a job failed');
    }
    schedule();
  };
  const schedule = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = round();
    }, periodMs);
    timer.unref();
  };
  schedule();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
