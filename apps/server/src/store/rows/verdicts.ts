// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely';
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
    async detail(sha256: string): Promise<string | undefined> {
      const row = await db.selectFrom('verdict_details').select('body').where('sha256', '=', sha256).executeTakeFirst();
      return row?.body;
    },
  };
}
