// SPDX-License-Identifier: Apache-2.0
import type { Store } from '../store/open-store.ts';
import { cutLog } from './audit/cut-log.ts';
import { auditEntryOf } from './audit/entry.ts';
import { VERDICTS_FORGET } from './audit/verdict-group.ts';
import type { Service } from './service.ts';

const HOUR_MS = 3_600_000;
/** Certificates and tokens stay in the database so long after their end, for whoever asks what was issued. */
const ENDED_MS = 30 * 24 * HOUR_MS;
/** What a verdict says is marked as needed within an hour of it: see `attestationRows`. */
const MARKED_MS = 2 * HOUR_MS;

/**
 * Forgets what is older than the settings have it kept. What a device needs now stays, however old it is: its last verdict
 * with its reasons, its boot log, its evidence. Several instances may do it at once.
 */
export async function forgetOld({ store, config, clock }: Service): Promise<void> {
  const { retention, auditOrigin } = config.grants;
  const nowMs = clock();
  await cutLog(store, auditOrigin, nowMs - retention.auditMs);
  await store.write((tx) => tx.certificates.removeEnded(nowMs - ENDED_MS));
  await store.write((tx) => tx.joinTokens.removeEnded(nowMs - ENDED_MS));
  await forgetVerdicts(store, nowMs - retention.verdictsMs, nowMs);
  while ((await store.write((tx) => tx.verdicts.removeDetails(nowMs - retention.verdictsMs - MARKED_MS))) > 0);
  while ((await store.write((tx) => tx.details.removeBootLogs(nowMs - retention.bootLogsMs))) > 0);
}

/** What is forgotten by right is told of in the same transaction, so that what else is missing shows. */
async function forgetVerdicts(store: Store, beforeMs: number, nowMs: number): Promise<void> {
  await store.write(async (tx) => {
    const count = await tx.verdicts.removeOld(beforeMs);
    if (count === 0) return;
    const detail = { count, forgottenBeforeMs: beforeMs };
    const actor = { kind: 'service', name: 'vouchsafe' } as const;
    await tx.audit.append([auditEntryOf({ kind: VERDICTS_FORGET, actor, subject: 'verdicts', detail }, nowMs)]);
    await tx.verdicts.removeGroups(beforeMs);
  });
}
