// SPDX-License-Identifier: Apache-2.0
import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';

/** Connections of one instance. Writes go in groups through one of them; the others read. */
const MAX_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement that takes longer than this is a fault: none here reads much. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** The OID of int8: times and counts, all below 2^53. */
const INT8 = 20;

/** A text is prepared once on each connection when its author marked it so; the mark is a comment in front. */
const PREPARED = /^\/\* (\w{1,40}) \*\//;

export function postgresDialect(url: string): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'vouchsafe',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const named = (text: unknown, values?: unknown, ...rest: unknown[]): unknown => {
      const name = typeof text === 'string' ? PREPARED.exec(text)?.[1] : undefined;
      return name === undefined ? query(text, values, ...rest) : query({ name, text, values }, ...rest);
    };
    client.query = named as typeof client.query;
  });
  return new PostgresDialect({ pool });
}
