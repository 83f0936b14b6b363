// SPDX-License-Identifier: Apache-2.0
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** When the details of a verdict were last needed, so that they can be forgotten. */
export const retention: Migration = {
  id: '0003-retention',
  async up(db, { long }) {
    await db.schema
      .alterTable('verdict_details')
      .addColumn('used_at_ms', long, (c) => c.notNull().defaultTo(0))
      .execute();
    // Of those that are there nobody knows: as if the newest verdict had needed each.
    await sql`update verdict_details set used_at_ms = coalesce((select max(at_ms) from verdicts), 0)`.execute(db);
    await db.schema.createIndex('verdict_details_used').on('verdict_details').column('used_at_ms').execute();
    await db.schema.createIndex('boot_logs_sent').on('boot_logs').column('created_at_ms').execute();
  },
};
