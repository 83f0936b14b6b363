// SPDX-License-Identifier: Apache-2.0
import { cutLog } from './audit/cut-log.ts';
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
  await store.write((tx) => tx.verdicts.removeOld(nowMs - retention.verdictsMs));
  while ((await store.write((tx) => tx.verdicts.removeDetails(nowMs - retention.verdictsMs - MARKED_MS))) > 0);
  while ((await store.write((tx) => tx.details.removeBootLogs(nowMs - retention.bootLogsMs))) > 0);
}
