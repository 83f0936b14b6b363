// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import { ImageError } from '../../error.ts';
import { MAX_PACKAGES } from '../installed-package.ts';

/** SQLite database file format, section 1.3: 1 for a journal, 2 for a write-ahead log, which a file in memory cannot have. */
const FORMAT_VERSIONS = { offset: 18, bytes: 2, journal: 1 } as const;
const HEADER_BYTES = 100;

/**
 * The headers in rpm's database of packages, rpmdb.sqlite. It is copied into memory, and nothing that its schema may define
 * runs: read is a plain table. rpm, lib/backend/sqlite.c.
 * @throws {ImageError} 'packages_malformed', 'limit'.
 */
export function readRpmSqlite(content: Uint8Array, label: string): Uint8Array[] {
  if (content.length < HEADER_BYTES)
    throw new ImageError('packages_malformed', `${label}: expected an SQLite database`);
  const bytes = content.slice();
  bytes.fill(FORMAT_VERSIONS.journal, FORMAT_VERSIONS.offset, FORMAT_VERSIONS.offset + FORMAT_VERSIONS.bytes);
  const database = new DatabaseSync(':memory:');
  try {
    database.deserialize(bytes);
    database.enableDefensive(true);
    database.exec('PRAGMA trusted_schema = OFF');
    const table = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'Packages'").get();
    if (typeof table?.['sql'] !== 'string' || /^\s*create\s+virtual/i.test(table['sql'])) {
      throw new ImageError('packages_malformed', `${label}: expected a table Packages, found none`);
    }
    const headers: Uint8Array[] = [];
    for (const { blob } of database.prepare('SELECT blob FROM Packages ORDER BY hnum').iterate()) {
      if (!(blob instanceof Uint8Array)) {
        throw new ImageError('packages_malformed', `${label}: expected headers in the table Packages`);
      }
      if (headers.length >= MAX_PACKAGES) throw new ImageError('limit', `${label}: more than ${MAX_PACKAGES} packages`);
      headers.push(blob);
    }
    return headers;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') throw cause;
    throw new ImageError('packages_malformed', `${label}: ${(cause as Error).message}`, { cause });
  } finally {
    database.close();
  }
}
