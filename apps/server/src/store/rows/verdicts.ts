// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** Rows that one transaction forgets. */
const BATCH = 500;

export function verdictRows(db: Kysely<Tables>) {
  return {
    /** The newest first. */
    list: (deviceId: string, beforeMs: number, limit: number) =>
      db
        .selectFrom('verdicts')
        .innerJoin('verdict_details', 'verdict_details.sha256', 'verdicts.detail_sha256')
        .select(['verdicts.at_ms', 'verdicts.status', 'verdicts.is_trusted', 'verdict_details.body'])
        .where('verdicts.device_id', '=', deviceId)
        .where('verdicts.at_ms', '<', beforeMs)
        .orderBy('verdicts.at_ms', 'desc')
        .limit(limit)
        .execute(),
    /** Forgets verdicts of before a time but each device's last one. */
    async removeOld(beforeMs: number): Promise<void> {
      await sql`delete from verdicts where at_ms < ${beforeMs} and at_ms < coalesce(
        (select attested_at_ms from devices where devices.id = verdicts.device_id), ${beforeMs})`.execute(db);
    },
    /** Forgets what no verdict has said since a time and no device's last one says. A batch of it. @returns how much */
    async removeDetails(beforeMs: number): Promise<number> {
      const result = await sql`delete from verdict_details where used_at_ms < ${beforeMs} and sha256 in (
        select verdict_details.sha256 from verdict_details left join devices on devices.verdict_sha256 = verdict_details.sha256
        where verdict_details.used_at_ms < ${beforeMs} and devices.id is null limit ${BATCH})`.execute(db);
      return Number(result.numAffectedRows ?? 0);
    },
    async detail(sha256: string): Promise<string | undefined> {
      const row = await db.selectFrom('verdict_details').select('body').where('sha256', '=', sha256).executeTakeFirst();
      return row?.body;
    },
  };
}
