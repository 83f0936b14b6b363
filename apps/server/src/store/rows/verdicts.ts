// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import { type Dialect, rowsOf } from '../dialect.ts';
import type { Tables } from '../tables.ts';

/** A verdict's key, with that of its group. */
export interface VerdictKey {
  readonly deviceId: string;
  readonly atMs: number;
  readonly entryId: string;
}

export interface VerdictRow {
  readonly device_id: string;
  readonly at_ms: number;
  readonly status: string;
  readonly is_trusted: number;
  readonly detail_sha256: string;
  readonly audit_entry: string | null;
}

/** Rows that one transaction forgets. */
const BATCH = 500;

/** Verdicts of one transaction are not further apart. */
const GROUP_SPAN_MS = 3_600_000;
/** Digits of the time that an entry's id begins with: see `auditEntryOf`. */
const ID_TIME_DIGITS = 13;

export function verdictRows(db: Kysely<Tables>, dialect: Dialect) {
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
    /** A device's newest that is not after a time. */
    newest: (deviceId: string, notAfterMs: number): Promise<VerdictRow | undefined> =>
      db
        .selectFrom('verdicts')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('at_ms', '<=', notAfterMs)
        .orderBy('at_ms', 'desc')
        .limit(1)
        .executeTakeFirst(),
    /** Those of the keys that are there, in their groups. */
    async find(keys: readonly VerdictKey[]): Promise<VerdictRow[]> {
      const columns = { device: 'text', at: 'bigint', entry: 'text' } as const;
      const wanted = keys.map(({ deviceId: device, atMs: at, entryId: entry }) => ({ device, at, entry }));
      const { rows } =
        await sql<VerdictRow>`/* verdicts_find */ select verdicts.* from ${rowsOf(dialect, columns, wanted)}
        join verdicts on verdicts.device_id = rows.device and verdicts.at_ms = rows.at and verdicts.audit_entry = rows.entry`.execute(
          db,
        );
      return rows;
    },
    groups: (entryIds: readonly string[]): Promise<Tables['verdict_groups'][]> =>
      db.selectFrom('verdict_groups').selectAll().where('entry_id', 'in', entryIds).execute(),
    details: (sha256: readonly string[]): Promise<{ sha256: string; body: string }[]> =>
      db.selectFrom('verdict_details').select(['sha256', 'body']).where('sha256', 'in', sha256).execute(),
    /** Forgets groups of which no verdict is left, of before a time. */
    async removeGroups(beforeMs: number): Promise<void> {
      const before = String(Math.max(0, beforeMs - GROUP_SPAN_MS)).padStart(ID_TIME_DIGITS, '0');
      await sql`delete from verdict_groups where entry_id < ${before} and entry_id not in (
        select audit_entry from verdicts where at_ms < ${beforeMs} and audit_entry is not null)`.execute(db);
    },
    /** Forgets verdicts of before a time but each device's last one. @returns how many */
    async removeOld(beforeMs: number): Promise<number> {
      const result = await sql`delete from verdicts where at_ms < ${beforeMs} and at_ms < coalesce(
        (select attested_at_ms from devices where devices.id = verdicts.device_id), ${beforeMs})`.execute(db);
      return Number(result.numAffectedRows ?? 0);
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
