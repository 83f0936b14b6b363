// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** Statements kept ready: the service has some hundred texts, and lists of values make more. */
const MAX_STATEMENTS = 512;
/** How long a writer waits for that of another process. */
const BUSY_TIMEOUT_MS = 10_000;

/** Kysely over node:sqlite. A transaction takes the writer's lock when it begins: one that took it later could find the file changed under it. */
export function sqliteDialect(path: string, access: 'write' | 'read'): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ImmediateDriver(path, access),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class ImmediateDriver extends SqliteDriver {
  readonly #opened: { database?: DatabaseSync };

  constructor(path: string, access: 'write' | 'read') {
    const opened: { database?: DatabaseSync } = {};
    super({
      database: async () => {
        opened.database = openFile(path, access);
        return asDatabase(opened.database);
      },
    });
    this.#opened = opened;
  }

  /**
   * Where the disk is full, or does not write, SQLite has undone the transaction itself; it would complain of a second time, and
   * nobody would hear what was wrong. https://sqlite.org/lang_transaction.html, Response To Errors Within A Transaction
   */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#opened.database?.isTransaction === true) await super.rollbackTransaction(connection);
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

function openFile(path: string, access: 'write' | 'read'): DatabaseSync {
  // Wherever it is: it holds who may do what. SQLite gives the mode to the files beside it. One that is there keeps its own.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  if (access === 'write') database.exec('pragma journal_mode = wal');
  // A commit is on the disk before it is acknowledged: https://sqlite.org/pragma.html#pragma_synchronous
  database.exec('pragma synchronous = full; pragma trusted_schema = off; pragma cache_size = -16000');
  if (access === 'read') database.exec('pragma query_only = on');
  return database;
}

function asDatabase(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, ReturnType<typeof asStatement>>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      if (statements.size >= MAX_STATEMENTS) statements.delete(statements.keys().next().value as string);
      const made = asStatement(database.prepare(sql));
      statements.set(sql, made);
      return made;
    },
  };
}

function asStatement(statement: StatementSync) {
  const reader = statement.columns().length > 0;
  return {
    reader,
    all: (parameters: readonly unknown[]) => statement.all(...(parameters as readonly SQLInputValue[])),
    run: (parameters: readonly unknown[]) => statement.run(...(parameters as readonly SQLInputValue[])),
    iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as readonly SQLInputValue[])),
  };
}
