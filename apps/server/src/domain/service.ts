// SPDX-License-Identifier: Apache-2.0

import type { CedarEngine, DecisionCache } from '@vouchsafe/appraise';
import type { Clock } from '../main/clock.ts';
import type { SettledConfig } from '../main/config.ts';
import type { Store } from '../store/open-store.ts';
import type { Rows } from '../store/rows.ts';
import type { DeviceCache } from './attestation/device-cache.ts';
import type { NonceKey } from './attestation/nonce.ts';
import type { ReferenceSource } from './references/reference-source.ts';

/** Lines of the service's log: structured, one JSON object each, never a secret. */
export interface Log {
  info(members: object, message: string): void;
  warn(members: object, message: string): void;
  error(members: object, message: string): void;
}

/** Who does something: an operator, a machine, the service itself. */
export interface Actor {
  readonly kind: 'operator' | 'device' | 'service';
  readonly name: string;
}

/** Something that happened and must be known afterwards. Times are added when it is written. */
export interface Act {
  /** Noun and verb: 'device.approve', 'reference.add'. */
  readonly kind: string;
  readonly actor: Actor;
  /** What it was done to. */
  readonly subject: string;
  /** JSON-able; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

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
}

/** Does something and records that it was done, in one transaction. */
export async function act<T>(service: Service, what: Act, work: (tx: Rows) => Promise<T>): Promise<T> {
  const result = await service.store.write(work);
  service.log.info({ act: what.kind, actor: what.actor, subject: what.subject }, 'done');
  return result;
}
