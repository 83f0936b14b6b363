// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { groupVerdicts } from '../domain/audit/verdict-group.ts';
import type { KeyRing } from '../domain/secrets/key-ring.ts';
import { withFileLock } from '../store/file-lock.ts';
import { openStore, type Store } from '../store/open-store.ts';
import { type Clock, steadyClock } from './clock.ts';
import { type ServerConfig, type SettledConfig, settleConfig } from './config.ts';
import { openKeyRing } from './secret-key.ts';
import { openStateFolder } from './state-folder.ts';
import { openTls, type ServiceTls } from './tls.ts';

/** In the state folder. */
const LOCK_FILE = 'start.lock';

/** What a service rests on, before anything listens. */
export interface PreparedServer {
  readonly config: SettledConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly tls: ServiceTls;
  /** What secrets are encrypted with. */
  readonly ring: KeyRing;
  /** Where it is reached when it listens at this port. */
  urlAt(port: number): string;
}

/**
 * State folder, database, clock and certificates.
 * @throws {ServerError} 'configuration_invalid', 'state_unsafe', 'database_…'
 */
export async function prepareServer(given: ServerConfig): Promise<PreparedServer> {
  const config = settleConfig(given);
  await openStateFolder(config.stateDir);
  const store = await openStore(config.databaseUrl, config.now(), groupVerdicts);
  try {
    const clock = await openClock(store, config.now);
    // One makes what is not there yet, of several that start at once.
    const { tls, ring } = await withFileLock(join(config.stateDir, LOCK_FILE), async () => ({
      tls: await openTls(config, clock()),
      ring: await openKeyRing(config.stateDir, config.grants.secretKey),
    }));
    const urlAt = (port: number): string => config.publicUrl ?? `https://${hostOf(config.listen.host)}:${port}`;
    return { config, store, clock, tls, ring, urlAt };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A clock that is behind the last verdict is wrong: what ended then has ended. */
async function openClock(store: Store, now: () => number): Promise<Clock> {
  return steadyClock(now, () => performance.now(), await store.read.devices.latestVerdictMs());
}

const hostOf = (host: string): string => (host.includes(':') ? `[${host}]` : host);
