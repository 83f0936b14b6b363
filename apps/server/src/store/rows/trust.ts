// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from '../tables.ts';

export type TrustAnchorRow = Selectable<Tables['trust_anchors']>;
export type InventoryRow = Selectable<Tables['inventory']>;

/** Whom the service trusts to say what is genuine, and which machines an operator registered. */
export function trustRows(db: Kysely<Tables>) {
  return {
    anchors: (): Promise<TrustAnchorRow[]> =>
      db.selectFrom('trust_anchors').selectAll().orderBy('role').orderBy('subject').execute(),
    async addAnchor(row: Tables['trust_anchors']): Promise<boolean> {
      const insert = db.insertInto('trust_anchors').values(row);
      const result = await insert.onConflict((c) => c.columns(['sha256', 'role']).doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async removeAnchor(sha256: string): Promise<boolean> {
      const result = await db.deleteFrom('trust_anchors').where('sha256', '=', sha256).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    inventory: (after: string, limit: number): Promise<InventoryRow[]> =>
      db.selectFrom('inventory').selectAll().where('id', '>', after).orderBy('id').limit(limit).execute(),
    inventoryOf: (sha256: readonly string[]): Promise<InventoryRow[]> =>
      db.selectFrom('inventory').selectAll().where('sha256', 'in', sha256).orderBy('id').execute(),
    async addInventory(row: Tables['inventory']): Promise<boolean> {
      const insert = db.insertInto('inventory').values(row);
      const result = await insert.onConflict((c) => c.column('sha256').doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async removeInventory(id: string): Promise<boolean> {
      const result = await db.deleteFrom('inventory').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
