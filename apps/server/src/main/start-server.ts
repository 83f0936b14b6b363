// SPDX-License-Identifier: Apache-2.0
import type { AddressInfo } from 'node:net';
import { loadCedar } from '@vouchsafe/appraise/node';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { createDeviceCache } from '../domain/attestation/device-cache.ts';
import { type LogRunner, startLogRunner } from '../domain/audit/log-runner.ts';
import { boundedMap } from '../domain/bounded-map.ts';
import { createFirstAdmin } from '../domain/operators.ts';
import { policySource } from '../domain/policy-source.ts';
import { createReferenceSource } from '../domain/references/reference-source.ts';
import { rewrapAll } from '../domain/secrets/rotate.ts';
import type { Service } from '../domain/service.ts';
import type { App } from '../http/app.ts';
import { buildApp, type Route } from '../http/build-app.ts';
import type { Store } from '../store/open-store.ts';
import type { ServerConfig } from './config.ts';
import { startGrantJobs } from './grant-jobs.ts';
import { startJobs } from './jobs.ts';
import { openLog } from './log.ts';
import { prepareServer } from './prepare-server.ts';
import { openServiceKeys } from './service-keys.ts';
import { isWorkerProcess } from './worker-process.ts';

/** A service that answers, in this process or in several. */
export interface ServingService {
  /** Where it is reached: `https://name:port`. */
  readonly url: string;
  /** Where it listens. */
  readonly port: number;
  /** What machines pin. */
  readonly caSha256: string;
  /** PEM: for clients that check the service's certificate. */
  readonly caCertificate: string;
  /** The first admin's token, when the service had no operator: shown now and never again. */
  readonly firstAdminToken: string | undefined;
  /** Answers what is under way, takes nothing new, and ends. */
  close(): Promise<void>;
}

/** One that runs in this process. */
export interface RunningServer extends ServingService {
  readonly app: App;
  /** All of them, and who may call each. */
  readonly routes: readonly Route[];
  readonly service: Service;
}

/** Where the key of nonces is, so that all instances have the same. */
const NONCE_KEY = 'nonce-key';
const NONCE_KEY_BYTES = 32;

/** Decisions that are remembered: as many as there are kinds of boots, for each policy. */
const MAX_DECISIONS = 4096;

/**
 * Starts the service: state folder, database, keys, routes, and then listens.
 * @throws {ServerError} 'configuration_invalid', 'state_unsafe', 'database_…'
 */
export async function startServer(given: ServerConfig): Promise<RunningServer> {
  const { config, store, clock, tls, ring, urlAt } = await prepareServer(given);
  const log = openLog(config.log);
  let auditLog: LogRunner | undefined;
  try {
    const cedar = await loadCedar();
    const keys = await openServiceKeys(store, ring, config.grants, clock());
    await rewrapAll(store, ring);
    const { auditOrigin: origin } = config.grants;
    auditLog = startLogRunner(store, { origin, signer: keys.audit }, clock, log);
    const runner = auditLog;
    const closing = new AbortController();
    const service: Service = {
      config,
      clock,
      store,
      log,
      url: config.publicUrl ?? '',
      caSha256: tls.caSha256,
      caCertificate: tls.caCertificate,
      nonceKey: { bytes: await openNonceKey(store) },
      references: createReferenceSource(store, cedar),
      devices: createDeviceCache(store),
      cedar,
      decisions: boundedMap(MAX_DECISIONS),
      keys,
      auditLog: runner,
      preparePolicy: policySource(cedar),
      closing: closing.signal,
    };
    const { app, routes } = await buildApp(service, tls);
    await app.listen({ host: config.listen.host, port: config.listen.port });
    const { port } = app.server.address() as AddressInfo;
    service.url = urlAt(port);
    const grantJobs = startGrantJobs(service);
    // The process that started the workers shows it.
    const firstAdminToken = isWorkerProcess() ? undefined : await createFirstAdmin(service);
    const jobs = startJobs(service);
    log.info({ url: service.url, caSha256: tls.caSha256, database: store.dialect }, 'listening');
    return {
      url: service.url,
      port,
      caSha256: tls.caSha256,
      caCertificate: tls.caCertificate,
      firstAdminToken,
      app,
      routes,
      service,
      close: async () => {
        closing.abort();
        await closeWithin(app, config.stopMs);
        await jobs.stop();
        await grantJobs.stop();
        await runner.stop();
        await store.close();
        log.info({}, 'stopped');
        // The channel to the process that started it would keep a worker alive.
        if (isWorkerProcess()) process.disconnect();
      },
    };
  } catch (error) {
    await auditLog?.stop();
    await store.close();
    throw error;
  }
}

/** A request that does not come to its end would keep the service from ending: Node.js looks at no times any more then. */
async function closeWithin(app: App, stopMs: number): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), stopMs);
  try {
    await app.close();
  } finally {
    clearTimeout(late);
  }
}

async function openNonceKey(store: Store): Promise<Uint8Array> {
  const made = encodeBase64url(randomBytes(NONCE_KEY_BYTES));
  return parseBase64url(await store.write((tx) => tx.settings.putFirst(NONCE_KEY, made)));
}
