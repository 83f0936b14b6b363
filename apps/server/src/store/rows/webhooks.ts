// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable, Updateable } from 'kysely';
import type { Tables } from '../tables.ts';

export type WebhookRow = Selectable<Tables['webhooks']>;

export function webhookRows(db: Kysely<Tables>) {
  return {
    list: (): Promise<WebhookRow[]> => db.selectFrom('webhooks').selectAll().orderBy('created_at_ms').execute(),
    /** Those whose turn has come. */
    due: (nowMs: number, size: number): Promise<WebhookRow[]> =>
      db
        .selectFrom('webhooks')
        .selectAll()
        .where('next_at_ms', '<=', nowMs)
        .where('next_place', '<', size)
        .orderBy('next_at_ms')
        .execute(),
    async insert(row: WebhookRow): Promise<void> {
      await db.insertInto('webhooks').values(row).execute();
    },
    /** False when another instance had its turn meanwhile. */
    async update(was: WebhookRow, change: Updateable<Tables['webhooks']>): Promise<boolean> {
      const result = await db
        .updateTable('webhooks')
        .set(change)
        .where('id', '=', was.id)
        .where('next_place', '=', was.next_place)
        .where('next_at_ms', '=', was.next_at_ms)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async remove(id: string): Promise<boolean> {
      const result = await db.deleteFrom('webhooks').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    sealedOtherwise: (keyId: string): Promise<WebhookRow[]> =>
      db.selectFrom('webhooks').selectAll().where('key_id', '!=', keyId).execute(),
  };
}
