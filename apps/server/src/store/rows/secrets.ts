// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Dialect, forShare } from '../dialect.ts';
import type { Tables } from '../tables.ts';
import type { EnvelopeRow } from './service-keys.ts';

export type SecretRow = Selectable<Tables['secrets']>;
export type SecretVersionRow = Selectable<Tables['secret_versions']>;

export function secretRows(db: Kysely<Tables>, dialect: Dialect) {
  return {
    find: (name: string): Promise<SecretRow | undefined> =>
      db.selectFrom('secrets').selectAll().where('name', '=', name).executeTakeFirst(),
    /** As it is and stays until the transaction ends: who takes it back meanwhile waits. */
    async hold(name: string): Promise<SecretRow | undefined> {
      const { rows } = await sql<SecretRow>`select * from secrets where name = ${name}${forShare(dialect)}`.execute(db);
      return rows[0];
    },
    findVersion: (name: string, version: number): Promise<SecretVersionRow | undefined> =>
      db
        .selectFrom('secret_versions')
        .selectAll()
        .where('name', '=', name)
        .where('version', '=', version)
        .executeTakeFirst(),
    list: (after: string | undefined, limit: number): Promise<SecretRow[]> => {
      const query = db.selectFrom('secrets').selectAll().orderBy('name').limit(limit);
      return (after === undefined ? query : query.where('name', '>', after)).execute();
    },
    versions: (name: string): Promise<Pick<SecretVersionRow, 'version' | 'created_at_ms' | 'created_by'>[]> =>
      db
        .selectFrom('secret_versions')
        .select(['version', 'created_at_ms', 'created_by'])
        .where('name', '=', name)
        .orderBy('version', 'desc')
        .execute(),
    /** A new version, which is the current one from now on. */
    async put(row: SecretRow, version: SecretVersionRow): Promise<void> {
      const { name: _, ...change } = row;
      await db
        .insertInto('secrets')
        .values(row)
        .onConflict((c) => c.column('name').doUpdateSet(change))
        .execute();
      await db.insertInto('secret_versions').values(version).execute();
    },
    async removeVersionsBelow(name: string, version: number): Promise<void> {
      await db.deleteFrom('secret_versions').where('name', '=', name).where('version', '<', version).execute();
    },
    async remove(name: string): Promise<boolean> {
      await db.deleteFrom('secret_versions').where('name', '=', name).execute();
      const result = await db.deleteFrom('secrets').where('name', '=', name).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    sealedOtherwise: (keyId: string, limit: number): Promise<SecretVersionRow[]> =>
      db.selectFrom('secret_versions').selectAll().where('key_id', '!=', keyId).limit(limit).execute(),
    async reseal(name: string, version: number, envelope: EnvelopeRow): Promise<void> {
      await db
        .updateTable('secret_versions')
        .set(envelope)
        .where('name', '=', name)
        .where('version', '=', version)
        .execute();
    },
  };
}
