// SPDX-License-Identifier: Apache-2.0

import type { CedarEngine, DecisionCache, PreparedPolicy } from '@vouchsafe/appraise';
import type { Clock } from '../main/clock.ts';
import type { SettledConfig } from '../main/config.ts';
import type { Store } from '../store/open-store.ts';
import type { Rows } from '../store/rows.ts';
import type { Act, Actor, Log } from './act.ts';
import type { DeviceCache } from './attestation/device-cache.ts';
import type { NonceKey } from './attestation/nonce.ts';
import { auditEntryOf } from './audit/entry.ts';
import type { LogRunner } from './audit/log-runner.ts';
import type { GrantKeys } from './grant-keys.ts';
import type { ReferenceSource } from './references/reference-source.ts';

export type { Act, Actor, Log };

/** What the domain works with. One for each process. */
export interface Service {
  readonly config: SettledConfig;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Log;
  /** How machines and operators reach the service; known when it listens. */
  url: string;
  readonly caSha256: string;
  readonly caCertificate: string;
  readonly nonceKey: NonceKey;
  readonly references: ReferenceSource;
  readonly devices: DeviceCache;
  readonly cedar: CedarEngine;
  /** Of policies over facts, by both. */
  readonly decisions: DecisionCache;
  /** The service's own keys: authorities, results, the audit log. */
  readonly keys: GrantKeys;
  /** Gives what was recorded its place, and tells who follows. */
  readonly auditLog: LogRunner;
  /** A policy, ready to be asked. @throws {ServerError} 'policy_malformed' */
  readonly preparePolicy: (name: string, text: string) => PreparedPolicy;
  /** Aborted when the service ends: what would go on for ever ends then. */
  readonly closing: AbortSignal;
}

/** Does something and records that it was done, in one transaction. */
export async function act<T>(service: Service, what: Act, work: (tx: Rows) => Promise<T>): Promise<T> {
  const result = await service.store.write(async (tx) => {
    const done = await work(tx);
    await tx.audit.append([auditEntryOf(what, service.clock())]);
    return done;
  });
  service.auditLog.kick();
  service.log.info({ act: what.kind, actor: what.actor, subject: what.subject }, 'done');
  return result;
}
