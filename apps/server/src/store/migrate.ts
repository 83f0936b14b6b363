// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import { ServerError } from '../error.ts';
import type { Dialect } from './dialect.ts';
import type { DialectWords, Migration } from './migrations/migration.ts';

interface MigrationTables {
  migrations: { id: string; applied_at_ms: number };
}

const WORDS: Readonly<Record<Dialect, DialectWords>> = {
  sqlite: { bytes: 'blob', long: 'integer' },
  postgres: { bytes: 'bytea', long: 'bigint' },
};

/** Any number that no other program locks by: 'vouchsaf' as octets, below 2^63. */
const LOCK = '8534995652679360870';

/**
 * Brings the schema forward. Several may do it at once: one does the work and the others find it done. All steps are in one
 * transaction, so that a start that is killed leaves the schema as it was.
 * @throws {ServerError} 'configuration_invalid' for a schema that is newer than this program.
 */
export async function migrate(
  db: Kysely<unknown>,
  dialect: Dialect,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<void> {
  const tables = db as Kysely<MigrationTables>;
  await tables.transaction().execute(async (tx) => {
    // SQLite's transactions have the writer's lock from the beginning.
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)}::bigint)`.execute(tx);
    const words = WORDS[dialect];
    await tx.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('applied_at_ms', words.long, (c) => c.notNull())
      .execute();
    const applied = new Set((await tx.selectFrom('migrations').select('id').execute()).map(({ id }) => id));
    const known = new Set(migrations.map(({ id }) => id));
    const newer = [...applied].find((id) => !known.has(id));
    if (newer !== undefined) {
      const message = `the database has the migration ${newer}, which this version does not know: start a version that is as new as the one that last used it`;
      throw new ServerError('configuration_invalid', message);
    }
    for (const { id, up } of migrations) {
      if (applied.has(id)) continue;
      await up(tx as unknown as Kysely<unknown>, words);
      await tx.insertInto('migrations').values({ id, applied_at_ms: nowMs }).execute();
    }
  });
}
