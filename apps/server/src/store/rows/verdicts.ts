// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

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
    /** Forgets verdicts of before a time but each device's last one. What they said stays, as newer ones may say the same. */
    async removeOld(beforeMs: number): Promise<void> {
      await sql`delete from verdicts where at_ms < ${beforeMs} and at_ms < coalesce(
        (select attested_at_ms from devices where devices.id = verdicts.device_id), ${beforeMs})`.execute(db);
    },
    async detail(sha256: string): Promise<string | undefined> {
      const row = await db.selectFrom('verdict_details').select('body').where('sha256', '=', sha256).executeTakeFirst();
      return row?.body;
    },
  };
}
