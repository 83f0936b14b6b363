// SPDX-License-Identifier: Apache-2.0
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFirstAdmin } from '../domain/operators.ts';
import { ServerError } from '../error.ts';
import type { ServerConfig } from './config.ts';
import { openLog } from './log.ts';
import { prepareServer } from './prepare-server.ts';
import type { ServingService } from './start-server.ts';

/** One that ends sooner than this after its start will not be better the next time. */
const TOO_SOON_MS = 5_000;
const MAX_TOO_SOON = 3;
const RESTART_MS = 500;
const STOP_MS = 30_000;

/**
 * Several processes behind one port. Each is this program started again with the same arguments; one that ends by itself is
 * started anew. Database and certificates are made ready before the first of them starts.
 * @throws {ServerError} as `startServer`, and 'configuration_invalid' when the workers end as they start
 */
export async function startWorkers(given: ServerConfig, count: number): Promise<ServingService> {
  const prepared = await prepareServer(given);
  const { store, clock, tls, config } = prepared;
  const log = openLog(config.log);
  let isStopping = false;
  let tooSoon = 0;
  const failed = Promise.withResolvers<never>();
  const fork = (): Worker => {
    const worker = cluster.fork();
    const startedMs = performance.now();
    worker.on('exit', (code, signal) => {
      if (isStopping) return;
      log.error({ worker: worker.id, code, signal }, 'a worker ended; starting another');
      tooSoon = performance.now() - startedMs < TOO_SOON_MS ? tooSoon + 1 : 0;
      if (tooSoon >= MAX_TOO_SOON) {
        failed.reject(new ServerError('configuration_invalid', 'the workers end as soon as they start; see the log'));
      } else {
        setTimeout(() => isStopping || fork(), RESTART_MS).unref();
      }
    });
    return worker;
  };
  const stop = async (): Promise<void> => {
    isStopping = true;
    const running = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    for (const worker of running) worker.process.kill('SIGTERM');
    const ended = Promise.all(running.map((worker) => once(worker, 'exit')));
    const isLate = await Promise.race([ended.then(() => false), sleep(STOP_MS, true, { ref: false })]);
    if (isLate) for (const worker of running) worker.process.kill('SIGKILL');
  };
  failed.promise.catch(() => {});
  try {
    const workers = Array.from({ length: count }, fork);
    const listening = await Promise.race([
      Promise.all(workers.map((worker) => once(worker, 'listening') as Promise<[{ port: number }]>)),
      failed.promise,
    ]);
    const port = listening[0]?.[0].port ?? config.listen.port;
    const firstAdminToken = await createFirstAdmin({ store, clock });
    await store.close();
    return {
      url: prepared.urlAt(port),
      port,
      caSha256: tls.caSha256,
      caCertificate: tls.caCertificate,
      firstAdminToken,
      close: stop,
    };
  } catch (error) {
    await stop();
    await store.close();
    throw error;
  }
}
