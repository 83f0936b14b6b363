// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from '../tables.ts';

export type JoinTokenRow = Selectable<Tables['join_tokens']>;

/** Tokens that machines join with; only their digests are here. */
export function joinTokenRows(db: Kysely<Tables>) {
  return {
    list: (): Promise<JoinTokenRow[]> =>
      db.selectFrom('join_tokens').selectAll().orderBy('expires_at_ms', 'desc').limit(10_000).execute(),
    findBySha256: (sha256: string): Promise<JoinTokenRow | undefined> =>
      db.selectFrom('join_tokens').selectAll().where('sha256', '=', sha256).executeTakeFirst(),
    async insert(row: Tables['join_tokens']): Promise<void> {
      await db.insertInto('join_tokens').values(row).execute();
    },
    /** False when it was used before, or has expired: of two machines with one token, one comes in. */
    async use(id: string, usedBy: string, nowMs: number): Promise<boolean> {
      const result = await db
        .updateTable('join_tokens')
        .set({ used_at_ms: nowMs, used_by: usedBy })
        .where('id', '=', id)
        .where('used_at_ms', 'is', null)
        .where('expires_at_ms', '>', nowMs)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** Forgets those that ended long ago, used or not. */
    async removeEnded(beforeMs: number): Promise<void> {
      await db.deleteFrom('join_tokens').where('expires_at_ms', '<', beforeMs).execute();
    },
    async remove(id: string): Promise<boolean> {
      const result = await db.deleteFrom('join_tokens').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
  };
}
