// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Dialect, forUpdate } from '../dialect.ts';
import type { Tables } from '../tables.ts';

export type OperatorRow = Selectable<Tables['operators']>;

export function operatorRows(db: Kysely<Tables>, dialect: Dialect) {
  return {
    list: (): Promise<OperatorRow[]> => db.selectFrom('operators').selectAll().orderBy('name').execute(),
    /** All of them, as they are and stay until the transaction ends. */
    async holdAll(): Promise<OperatorRow[]> {
      const { rows } = await sql<OperatorRow>`select * from operators order by id${forUpdate(dialect)}`.execute(db);
      return rows;
    },
    find: (id: string): Promise<OperatorRow | undefined> =>
      db.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst(),
    findByToken: (sha256: string): Promise<OperatorRow | undefined> =>
      db.selectFrom('operators').selectAll().where('token_sha256', '=', sha256).executeTakeFirst(),
    findByCertificate: (sha256: string): Promise<OperatorRow | undefined> =>
      db.selectFrom('operators').selectAll().where('certificate_sha256', '=', sha256).executeTakeFirst(),
    async insert(row: Tables['operators']): Promise<boolean> {
      const insert = db.insertInto('operators').values(row);
      const result = await insert.onConflict((c) => c.column('name').doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async remove(id: string): Promise<boolean> {
      const result = await db.deleteFrom('operators').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async adminCount(): Promise<number> {
      const rows = await db.selectFrom('operators').select('id').where('role', '=', 'admin').execute();
      return rows.length;
    },
  };
}
