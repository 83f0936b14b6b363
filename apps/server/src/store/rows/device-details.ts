// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** Rows that one transaction forgets. */
const BATCH = 100;

/** What belongs to a device and is read seldom: its identity, its recorded evidence, the logs. */
export function deviceDetailRows(db: Kysely<Tables>) {
  return {
    identity: (deviceId: string) =>
      db.selectFrom('device_identities').selectAll().where('device_id', '=', deviceId).executeTakeFirst(),
    async putIdentity(row: Tables['device_identities']): Promise<void> {
      const { device_id, ...rest } = row;
      await db
        .insertInto('device_identities')
        .values(row)
        .onConflict((c) => c.column('device_id').doUpdateSet(rest))
        .execute();
    },
    /** JSON of what its boot came to. */
    async settled(deviceId: string): Promise<string | undefined> {
      const query = db.selectFrom('device_boots').select('settled').where('device_id', '=', deviceId);
      return (await query.executeTakeFirst())?.settled;
    },
    evidence: (deviceId: string) =>
      db.selectFrom('device_evidence').selectAll().where('device_id', '=', deviceId).executeTakeFirst(),
    async putEvidence(row: Tables['device_evidence']): Promise<void> {
      const { at_ms, body } = row;
      await db
        .insertInto('device_evidence')
        .values(row)
        .onConflict((c) => c.column('device_id').doUpdateSet({ at_ms, body }))
        .execute();
    },
    async bootLog(sha256: string): Promise<Uint8Array | undefined> {
      const row = await db.selectFrom('boot_logs').select('bytes').where('sha256', '=', sha256).executeTakeFirst();
      return row?.bytes;
    },
    async putBootLog(sha256: string, bytes: Uint8Array, nowMs: number): Promise<void> {
      await db
        .insertInto('boot_logs')
        .values({ sha256, bytes, created_at_ms: nowMs })
        // Needed anew: who forgets old ones at this moment looks again.
        .onConflict((c) => c.column('sha256').doUpdateSet({ created_at_ms: nowMs }))
        .execute();
    },
    /** A log that a device has no more, unless another has it. */
    async dropBootLog(sha256: string): Promise<void> {
      await sql`delete from boot_logs where sha256 = ${sha256}
        and not exists (select 1 from devices where boot_log_sha256 = ${sha256})`.execute(db);
    },
    /** Forgets logs that were not sent since a time and are no device's. A batch of them. @returns how many */
    async removeBootLogs(beforeMs: number): Promise<number> {
      const result = await sql`delete from boot_logs where created_at_ms < ${beforeMs} and sha256 in (
        select boot_logs.sha256 from boot_logs left join devices on devices.boot_log_sha256 = boot_logs.sha256
        where boot_logs.created_at_ms < ${beforeMs} and devices.id is null limit ${BATCH})`.execute(db);
      return Number(result.numAffectedRows ?? 0);
    },
  };
}
