// SPDX-License-Identifier: Apache-2.0
import { type RawBuilder, sql } from 'kysely';

/** The two databases. They differ in the words of `migrations/migration.ts`, in how rows come in as JSON, and in locks. */
export type Dialect = 'sqlite' | 'postgres';

/**
 * A list of objects as a table `rows`, so that one statement, whose text is always the same, writes them all. What is not
 * text must be a whole number or null.
 */
export function rowsOf(
  dialect: Dialect,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
  rows: readonly Readonly<Record<string, unknown>>[],
): RawBuilder<unknown> {
  const json = JSON.stringify(rows);
  const entries = Object.entries(columns);
  if (dialect === 'postgres') {
    const types = entries.map(([name, type]) => `${name} ${type}`).join(', ');
    return sql`json_to_recordset(${json}::json) as rows(${sql.raw(types)})`;
  }
  const members = entries.map(([name]) => `value ->> '${name}' as ${name}`).join(', ');
  return sql`(select ${sql.raw(members)} from json_each(${json})) as rows`;
}

/** At the end of a select: its rows are nobody else's until the transaction ends. SQLite has one writer anyway. */
export const forUpdate = (dialect: Dialect): RawBuilder<unknown> => (dialect === 'postgres' ? sql` for update` : sql``);

/** At the end of a select: its rows stay as they are until the transaction ends; others may look at them too. */
export const forShare = (dialect: Dialect): RawBuilder<unknown> => (dialect === 'postgres' ? sql` for share` : sql``);
