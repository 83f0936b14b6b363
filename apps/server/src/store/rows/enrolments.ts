// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Dialect } from '../dialect.ts';
import type { Tables } from '../tables.ts';

export type EnrolmentRow = Selectable<Tables['enrolments']>;

export function enrolmentRows(db: Kysely<Tables>, dialect: Dialect) {
  return {
    /**
     * Who waits under an id stays as it is until the transaction ends: there may be no row yet that could be locked. SQLite has
     * one writer anyway.
     */
    async hold(deviceId: string): Promise<void> {
      if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(hashtextextended(${deviceId}, 7))`.execute(db);
    },
    find: (id: string): Promise<EnrolmentRow | undefined> =>
      db.selectFrom('enrolments').selectAll().where('id', '=', id).executeTakeFirst(),
    /** Those that wait for an operator. */
    awaiting: (nowMs: number): Promise<EnrolmentRow[]> =>
      db
        .selectFrom('enrolments')
        .selectAll()
        .where('state', '=', 'proved')
        .where('expires_at_ms', '>', nowMs)
        .orderBy('id')
        .limit(1000)
        .execute(),
    /** Those that have proved themselves and wait to come in under an id, the newest first. */
    awaitingOf: (deviceId: string, nowMs: number): Promise<EnrolmentRow[]> =>
      db
        .selectFrom('enrolments')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('state', 'in', ['proved', 'approved'])
        .where('expires_at_ms', '>', nowMs)
        .orderBy('expires_at_ms', 'desc')
        .limit(1000)
        .execute(),
    async insert(row: Tables['enrolments']): Promise<void> {
      await db.insertInto('enrolments').values(row).execute();
    },
    /** False when it was in another state. */
    async move(
      id: string,
      from: EnrolmentRow['state'],
      change: Partial<Pick<EnrolmentRow, 'state' | 'expires_at_ms'>>,
    ): Promise<boolean> {
      const result = await db
        .updateTable('enrolments')
        .set(change)
        .where('id', '=', id)
        .where('state', '=', from)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** One TPM waits once: what it asked for before, under whichever id, goes. */
    async removeOtherWaiting({ id, ek_sha256 }: Pick<EnrolmentRow, 'id' | 'ek_sha256'>): Promise<void> {
      await db
        .deleteFrom('enrolments')
        .where('ek_sha256', '=', ek_sha256)
        .where('state', '=', 'proved')
        .where('id', '!=', id)
        .execute();
    },
    async removeExpired(nowMs: number): Promise<void> {
      await db.deleteFrom('enrolments').where('expires_at_ms', '<', nowMs).execute();
    },
  };
}
