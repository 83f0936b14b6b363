// SPDX-License-Identifier: Apache-2.0
import { after } from 'node:test';
import { needsTool, type Requirement } from '@vouchsafe/testing';
import { type Postgres, startPostgres } from './postgres.ts';

/** A database that a suite runs on. */
export interface DatabaseUnderTest {
  readonly name: string;
  readonly requirement: Requirement;
  /** The URL of an empty database; undefined for the one in the state folder. */
  open(): Promise<string | undefined>;
}

let postgres: Promise<Postgres> | undefined;

/** The PostgreSQL of this test file: started once, when the first test wants it. */
export function sharedPostgres(): Promise<Postgres> {
  postgres ??= startPostgres({ after: (fn) => void cleanups.push(fn) });
  return postgres;
}

const cleanups: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const cleanup of cleanups) await cleanup();
});

/** The same suite runs on each. */
export const DATABASES: readonly DatabaseUnderTest[] = [
  { name: 'SQLite', requirement: {}, open: async () => undefined },
  {
    name: 'PostgreSQL',
    requirement: needsTool('pg_ctlcluster'),
    open: async () => (await sharedPostgres()).createDatabase(),
  },
];
