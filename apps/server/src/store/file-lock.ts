// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerError } from '../error.ts';
import { databaseFaultOf } from './database-fault.ts';

const RETRY_MS = 25;
const LIMIT_MS = 60_000;

/**
 * Does something while no other process does the same. Node.js has no locks of files; SQLite takes the system's, which end with
 * the process that has one, however it ends.
 * @param path of a file for nothing else
 * @throws {ServerError} 'database_busy' when another has it for a minute
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    await begin(lock, path);
    return await work();
  } finally {
    lock.close();
  }
}

async function begin(lock: DatabaseSync, path: string): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      lock.exec('begin exclusive');
      return;
    } catch (cause) {
      const fault = databaseFaultOf(cause);
      if (fault?.code !== 'database_busy') throw cause;
      if (performance.now() > endMs) {
        throw new ServerError('database_busy', `${path}: another service has been starting here for a minute`, {
          cause,
        });
      }
    }
    await sleep(RETRY_MS);
  }
}
