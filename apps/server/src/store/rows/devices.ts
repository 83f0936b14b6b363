// SPDX-License-Identifier: Apache-2.0
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import type { DeviceTable, Tables } from '../tables.ts';

export type DeviceRow = Selectable<DeviceTable>;

export interface DeviceFilter {
  /** Ids after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly life?: DeviceTable['life'] | undefined;
  readonly status?: NonNullable<DeviceTable['verdict_status']> | undefined;
  readonly isStale?: boolean | undefined;
}

export function deviceRows(db: Kysely<Tables>) {
  return {
    find: (id: string): Promise<DeviceRow | undefined> =>
      db.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst(),
    findByEk: (ekSha256: string): Promise<DeviceRow | undefined> =>
      db.selectFrom('devices').selectAll().where('ek_sha256', '=', ekSha256).executeTakeFirst(),
    list(filter: DeviceFilter): Promise<DeviceRow[]> {
      let query = db.selectFrom('devices').selectAll().orderBy('id').limit(filter.limit);
      if (filter.after !== undefined) query = query.where('id', '>', filter.after);
      if (filter.life !== undefined) query = query.where('life', '=', filter.life);
      if (filter.status !== undefined) query = query.where('verdict_status', '=', filter.status);
      if (filter.isStale !== undefined) query = query.where('is_stale', '=', filter.isStale ? 1 : 0);
      return query.execute();
    },
    async count(): Promise<number> {
      const row = await db
        .selectFrom('devices')
        .select((e) => e.fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    /** False when a device has that id, endorsement key or attestation key already, of whichever instance's making. */
    async insert(row: Insertable<DeviceTable>): Promise<boolean> {
      const insert = db.insertInto('devices').values(row);
      const result = await insert.onConflict((c) => c.doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    /** False when the device is not as its revision says; nothing is changed then. */
    async update(id: string, revision: number, change: Updateable<DeviceTable>): Promise<boolean> {
      const result = await db
        .updateTable('devices')
        .set({ ...change, revision: revision + 1 })
        .where('id', '=', id)
        .where('revision', '=', revision)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async remove(id: string): Promise<void> {
      await db.deleteFrom('devices').where('id', '=', id).execute();
      await db.deleteFrom('device_identities').where('device_id', '=', id).execute();
      await db.deleteFrom('device_boots').where('device_id', '=', id).execute();
      await db.deleteFrom('device_evidence').where('device_id', '=', id).execute();
      await db.deleteFrom('enrolments').where('device_id', '=', id).execute();
    },
    /** Devices whose trust has ended and of which nobody was told. */
    due: (nowMs: number, limit: number): Promise<DeviceRow[]> =>
      db
        .selectFrom('devices')
        .selectAll()
        .where('is_stale', '=', 0)
        .where('trusted_until_ms', '<', nowMs)
        .orderBy('id')
        .limit(limit)
        .execute(),
    /** The time of the newest verdict: a clock that is behind it is wrong. */
    async latestVerdictMs(): Promise<number> {
      const row = await db
        .selectFrom('devices')
        .select((e) => e.fn.max('attested_at_ms').as('at'))
        .executeTakeFirst();
      return Number(row?.at ?? 0);
    },
  };
}
