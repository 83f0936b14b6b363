// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from '../tables.ts';

export type PolicyRow = Selectable<Tables['policies']>;

export function policyRows(db: Kysely<Tables>) {
  return {
    list: (): Promise<PolicyRow[]> =>
      db.selectFrom('policies').selectAll().orderBy('name').orderBy('version').execute(),
    versions: (name: string): Promise<PolicyRow[]> =>
      db.selectFrom('policies').selectAll().where('name', '=', name).orderBy('version').execute(),
    async insert(row: Tables['policies']): Promise<void> {
      await db.insertInto('policies').values(row).execute();
    },
    /** That version and no other of the name. */
    async activate(name: string, version: number): Promise<void> {
      await db.updateTable('policies').set({ is_active: 0 }).where('name', '=', name).execute();
      const one = db.updateTable('policies').set({ is_active: 1 }).where('name', '=', name);
      await one.where('version', '=', version).execute();
    },
  };
}
