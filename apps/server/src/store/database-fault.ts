// SPDX-License-Identifier: Apache-2.0
import type { ServerErrorCode } from '../error.ts';

/** What a database says when it cannot do what it was told. In each case nothing was changed. */
export interface DatabaseFault {
  readonly code: Extract<ServerErrorCode, `database_${string}` | 'conflict'>;
  /** What to do next. Nothing of what the database said, which may name its host. */
  readonly hint: string;
}

const FAULTS = {
  database_unavailable: 'the database does not answer; try again',
  database_busy: 'another has the database for too long; try again, and see who else has its file open or holds locks',
  database_full: 'the disk of the database is full: make room there, and try again',
  database_read_only: 'the database cannot be written: see the rights of its file, or whether it is a standby',
  database_damaged: 'the database is damaged: stop the service, keep a copy of the files, and restore a backup',
  conflict: 'another has made or changed the same thing at this moment; look again',
} as const;
type FaultCode = keyof typeof FAULTS;

/** https://sqlite.org/rescode.html: the low octet of an extended code. What is not here is a defect of ours. */
const SQLITE: Readonly<Record<number, FaultCode>> = {
  5: 'database_busy', // BUSY
  6: 'database_busy', // LOCKED
  8: 'database_read_only', // READONLY
  10: 'database_unavailable', // IOERR
  11: 'database_damaged', // CORRUPT
  13: 'database_full', // FULL
  14: 'database_unavailable', // CANTOPEN
  26: 'database_damaged', // NOTADB
};
/** CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE. */
const SQLITE_TAKEN = [1555, 2067];

/** PostgreSQL, Appendix A, by the longest beginning that fits. */
const POSTGRES: readonly (readonly [string, FaultCode])[] = [
  ['23505', 'conflict'], // unique_violation
  ['25006', 'database_read_only'], // read_only_sql_transaction: a standby
  ['40', 'database_busy'], // serialization_failure, deadlock_detected
  ['53100', 'database_full'], // disk_full
  ['55P03', 'database_busy'], // lock_not_available
  ['57014', 'database_busy'], // query_canceled: statement_timeout
  ['58', 'database_unavailable'], // system_error, io_error
  ['XX001', 'database_damaged'], // data_corrupted
  ['XX002', 'database_damaged'], // index_corrupted
  ['08', 'database_unavailable'], // connection_exception
  ['53', 'database_unavailable'], // insufficient_resources
  ['57P', 'database_unavailable'], // admin_shutdown, cannot_connect_now
];
const SQLSTATE = /^[0-9A-Z]{5}$/;
const AWAY = /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOENT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$/;
/** What the client of PostgreSQL throws without a code. */
const AWAY_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after)/;

/** Which fault of the database an error is; undefined for any other error. */
export function databaseFaultOf(error: unknown): DatabaseFault | undefined {
  const code = faultCodeOf(error);
  return code === undefined ? undefined : { code, hint: FAULTS[code] };
}

function faultCodeOf(error: unknown): FaultCode | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode, message } = error as Error & { readonly code?: unknown; readonly errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    return SQLITE_TAKEN.includes(errcode) ? 'conflict' : SQLITE[errcode & 0xff];
  }
  if (typeof code !== 'string') return AWAY_TEXT.test(message) ? 'database_unavailable' : undefined;
  if (AWAY.test(code)) return 'database_unavailable';
  return SQLSTATE.test(code) ? POSTGRES.find(([start]) => code.startsWith(start))?.[1] : undefined;
}
