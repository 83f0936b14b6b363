// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '@vouchsafe/appraise';
import type { Evidence } from '@vouchsafe/protocol';
import type { AttestationEffects } from '../../store/attestation-effects.ts';
import type { Rows } from '../../store/rows.ts';
import { sha256Of } from '../random.ts';
import type { KnownDevice } from './device-cache.ts';

/** Evidence that is kept to be looked at. */
const MAX_KEPT_CHARS = 8 * 1024 * 1024;

export interface Kept {
  readonly device: KnownDevice;
  readonly verdict: Verdict;
  readonly message: Evidence;
  readonly log: Uint8Array | undefined;
  readonly nowMs: number;
}

/** What is written beside the verdict, seldom: a new boot's log, and its evidence to look at and learn from. */
export function alongside(kept: Kept): ((tx: Rows) => Promise<void>) | undefined {
  const { device, verdict, message, log, nowMs } = kept;
  const isNew = log !== undefined || verdict.events.length > 0;
  if (!isNew && verdict.status !== 'contraindicated') return undefined;
  const { keys: _, secrets: __, ...body } = message;
  const text = JSON.stringify(body);
  return async (tx) => {
    if (log !== undefined && verdict.facts.log.isGood) await keepBootLog(tx, device, log, nowMs);
    if (text.length > MAX_KEPT_CHARS || !isNew) return;
    await tx.details.putEvidence({ device_id: device.row.id, at_ms: nowMs, body: text });
  };
}

/** Effects, with what is kept in front of them. */
export function withKept(
  effects: AttestationEffects,
  kept: ((tx: Rows) => Promise<void>) | undefined,
): AttestationEffects {
  if (kept === undefined) return effects;
  const also = async (tx: Rows): Promise<void> => {
    await kept(tx);
    await effects.also?.(tx);
  };
  return { ...effects, also };
}

/** One log of each device: one that has another each time does not fill the database. */
async function keepBootLog(tx: Rows, { row }: KnownDevice, log: Uint8Array, nowMs: number): Promise<void> {
  const sha256 = sha256Of(log);
  await tx.details.putBootLog(sha256, log, nowMs);
  const before = row.boot_log_sha256;
  if (before !== null && before !== sha256) await tx.details.dropBootLog(before);
}
