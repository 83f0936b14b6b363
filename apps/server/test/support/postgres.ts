// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir } from '@vouchsafe/testing';
import pg from 'pg';

const VERSIONS = '/usr/lib/postgresql';
const START_MS = 30_000;

type Hooks = { after(fn: () => Promise<void> | void): void };

/** A PostgreSQL of the tests' own, on a socket in a folder that goes with it. */
export interface Postgres {
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  /** Ends it at once, as a power cut would, and starts it again. */
  crash(): Promise<void>;
  /** Ends it in order; `start` has it again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** It refuses to run as root, so it runs as Debian's user for it there. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export async function startPostgres(t: Hooks): Promise<Postgres> {
  const [version = ''] = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  const bin = join(VERSIONS, version, 'bin');
  const user = unprivileged();
  let child: ReturnType<typeof spawn> | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  // Registered after the folder's removal and run before it: hooks run in the order of their registration.
  t.after(async () => {
    child?.kill('SIGQUIT');
    await ended;
  });
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const data = join(dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid as number);
  const options = {
    ...user,
    cwd: data,
    stdio: 'ignore' as const,
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
  };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], options);
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=', `unix_socket_directories=${data}`, 'max_connections=60'];
    const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((s) => ['-c', s])], options);
    child = server;
    ended = once(server, 'exit');
    for (let waited = 0; ; waited += 50) {
      if (server.exitCode !== null || waited > START_MS) throw new Error('PostgreSQL did not start');
      if (existsSync(join(data, '.s.PGSQL.5432')) && (await answers(urlOf('postgres')))) return;
      await sleep(50);
    }
  };
  const urlOf = (database: string): string =>
    `postgres://postgres@localhost/${database}?host=${encodeURIComponent(data)}`;
  await start();
  let count = 0;
  return {
    createDatabase: async () => {
      const name = `test${++count}`;
      const client = new pg.Client(urlOf('postgres'));
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    stop: async () => {
      child?.kill('SIGINT');
      await ended;
    },
    start,
    crash: async () => {
      child?.kill('SIGQUIT');
      await ended;
      await start();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
