// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Dialect, forUpdate, rowsOf } from '../dialect.ts';
import type { Tables } from '../tables.ts';

export type AuditLogRow = Selectable<Tables['audit_log']>;
export interface AuditEntryRow {
  readonly place: number;
  readonly leaf: string;
}

export function auditRows(db: Kysely<Tables>, dialect: Dialect) {
  return {
    /** Into the transaction of what it tells of. Its place is given to it afterwards. */
    async append(entries: readonly { readonly id: string; readonly leaf: string }[]): Promise<void> {
      if (entries.length === 0) return;
      const rows = rowsOf(dialect, { id: 'text', leaf: 'text' }, entries);
      await sql`/* audit_append */ insert into audit_entries (id, leaf) select id, leaf from ${rows} where true`.execute(
        db,
      );
    },
    log: (): Promise<AuditLogRow | undefined> => db.selectFrom('audit_log').selectAll().executeTakeFirst(),
    /** The log's row, which no other instance has until the transaction ends. */
    async lock(origin: string): Promise<AuditLogRow> {
      await db
        .insertInto('audit_log')
        .values({ origin, nodes: '[]', size: 0, first: 0, first_nodes: '[]' })
        .onConflict((c) => c.column('origin').doNothing())
        .execute();
      const { rows } =
        await sql<AuditLogRow>`select * from audit_log where origin = ${origin}${forUpdate(dialect)}`.execute(db);
      return rows[0] as AuditLogRow;
    },
    /** Entries without a place, the oldest first. */
    waiting: (limit: number): Promise<{ id: string; leaf: string }[]> =>
      db
        .selectFrom('audit_entries')
        .select(['id', 'leaf'])
        .where('place', 'is', null)
        .orderBy('id')
        .limit(limit)
        .execute(),
    async place(places: readonly { readonly id: string; readonly place: number }[]): Promise<void> {
      const rows = rowsOf(dialect, { id: 'text', place: 'bigint' }, places);
      await sql`update audit_entries set place = rows.place from ${rows} where audit_entries.id = rows.id`.execute(db);
    },
    async addNodes(nodes: readonly Tables['audit_nodes'][]): Promise<void> {
      if (nodes.length > 0)
        await db
          .insertInto('audit_nodes')
          .values([...nodes])
          .execute();
    },
    async grow(origin: string, size: number, nodes: string): Promise<void> {
      await db.updateTable('audit_log').set({ size, nodes }).where('origin', '=', origin).execute();
    },
    async cut(origin: string, first: number, nodes: string): Promise<void> {
      await db.updateTable('audit_log').set({ first, first_nodes: nodes }).where('origin', '=', origin).execute();
      const gone = db.selectFrom('audit_entries').select('id').where('place', '<', first);
      await db.deleteFrom('verdict_groups').where('entry_id', 'in', gone).execute();
      await db.deleteFrom('audit_entries').where('place', '<', first).execute();
      await db.deleteFrom('audit_heads').where('size', '<', first).execute();
    },
    async addHead(head: Tables['audit_heads']): Promise<void> {
      const insert = db.insertInto('audit_heads').values(head);
      const { note, at_ms } = head;
      await insert.onConflict((c) => c.column('size').doUpdateSet({ note, at_ms })).execute();
    },
    newestHead: (): Promise<Selectable<Tables['audit_heads']> | undefined> =>
      db.selectFrom('audit_heads').selectAll().orderBy('size', 'desc').limit(1).executeTakeFirst(),
    /** The largest head that was signed before a time. */
    newestHeadBefore: (atMs: number): Promise<Selectable<Tables['audit_heads']> | undefined> =>
      db
        .selectFrom('audit_heads')
        .selectAll()
        .where('at_ms', '<', atMs)
        .orderBy('size', 'desc')
        .limit(1)
        .executeTakeFirst(),
    entries: async (from: number, to: number): Promise<AuditEntryRow[]> => {
      const query = db
        .selectFrom('audit_entries')
        .select(['place', 'leaf'])
        .where('place', '>=', from)
        .where('place', '<', to);
      return (await query.orderBy('place').execute()) as AuditEntryRow[];
    },
    find: (id: string): Promise<{ place: number | null; leaf: string } | undefined> =>
      db.selectFrom('audit_entries').select(['place', 'leaf']).where('id', '=', id).executeTakeFirst(),
    node: async (level: number, position: number): Promise<Uint8Array | undefined> => {
      const query = db.selectFrom('audit_nodes').select('hash').where('level', '=', level);
      return (await query.where('position', '=', position).executeTakeFirst())?.hash;
    },
  };
}
