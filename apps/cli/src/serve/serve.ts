// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  DEFAULT_PORT,
  isWorkerProcess,
  type ServerConfig,
  type ServingService,
  startServer,
  startWorkers,
} from '@vouchsafe/server';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { collectList, wholeNumber } from '../parse.ts';
import { lifeMs } from '../service/life-time.ts';
import { createServiceFile, readServiceFile, writeServiceFile } from '../service/service-file.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface ServeOptions {
  readonly state: string;
  readonly db?: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly url?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly join: NonNullable<ServerConfig['joining']>;
  readonly interval?: number;
  readonly webhookAllow?: readonly string[];
  readonly workers: number;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

const DEFAULT_STATE = 'vouchsafe-state';
const ADMIN_FILE = 'admin.json';
const MAX_WORKERS = 256;
const MIN_INTERVAL_MS = 10_000;
const MAX_INTERVAL_MS = 86_400_000;
const WAYS = ['token', 'inventory', 'approval'] as const;
const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;

function listenPlace(text: string): ServeOptions['listen'] {
  const [, host = '127.0.0.1', port = ''] = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?([0-9]{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) throw new InvalidArgumentError('Expected PORT, HOST:PORT or [IPV6]:PORT.');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function waysIn(text: string): ServeOptions['join'] {
  const ways = text.split(',');
  const other = ways.find((way) => !(WAYS as readonly string[]).includes(way));
  if (other !== undefined) throw new InvalidArgumentError(`Expected some of ${WAYS.join(', ')}, joined by commas.`);
  return Object.fromEntries(WAYS.map((way) => [way, ways.includes(way)]));
}

function workerCount(text: string): number {
  const count = wholeNumber(text);
  if (count < 1 || count > MAX_WORKERS) throw new InvalidArgumentError(`Expected a number from 1 to ${MAX_WORKERS}.`);
  return count;
}

function intervalMs(text: string): number {
  const ms = lifeMs(text);
  if (ms < MIN_INTERVAL_MS || ms > MAX_INTERVAL_MS) throw new InvalidArgumentError('Expected a span from 10s to 1d.');
  return ms;
}

function logLevel(text: string): ServeOptions['logLevel'] {
  const level = LEVELS.find((one) => one === text);
  if (level === undefined) throw new InvalidArgumentError(`Expected one of ${LEVELS.join(', ')}.`);
  return level;
}

export const serve: Verb = {
  define(command: Command, session) {
    command
      .description(
        'Runs the service: machines enrol and attest, operators decide whom and what to trust. Everything it needs it makes on its first start.',
      )
      .option('--state <folder>', 'where its keys and its database are', DEFAULT_STATE)
      .option('--db <url>', 'postgres://… or sqlite:FILE (default: a file in the state folder)')
      .option('--listen <place>', 'PORT or HOST:PORT', listenPlace, { host: '127.0.0.1', port: DEFAULT_PORT })
      .option('--url <url>', 'how machines reach it, when that is not where it listens: https://NAME[:PORT]')
      .option('--tls-certificate <file>', 'its certificate and what leads to the authority, PEM (default: its own)')
      .option('--tls-key <file>', 'the key of that certificate, PEM')
      .option('--join <ways>', `ways of joining that are open: ${WAYS.join(', ')}`, waysIn, {
        token: true,
        inventory: true,
      })
      .option('--interval <span>', 'how often machines attest, as 15m, which it is unless given', intervalMs)
      .option('--webhook-allow <ranges>', 'where webhooks may go to, as 10.1.0.0/16; nowhere unless given', collectList)
      .option('--workers <n>', 'processes that share the work', workerCount, 1)
      .option('--log-level <level>', LEVELS.join(', '), logLevel, 'info')
      .option('--json', 'print where it is as one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe serve --state vouchsafe-state --listen 0.0.0.0:8443')
      .action((options: ServeOptions) => run(session, options));
  },
};

async function run(session: Session, options: ServeOptions): Promise<void> {
  const config = configOf(options);
  if (isWorkerProcess()) return serveUntilStopped(await startServer(config));
  const { workers } = options;
  const running = workers === 1 ? await startServer(config) : await startWorkers(config, workers);
  const adminFile = keepAdminFile(config.stateDir, running);
  session.answer(startText(options, running, adminFile), {
    url: running.url,
    caSha256: running.caSha256,
    state: config.stateDir,
    adminFile,
    ...(running.firstAdminToken === undefined ? {} : { firstAdminToken: running.firstAdminToken }),
  });
  await serveUntilStopped(running);
}

function configOf(options: ServeOptions): ServerConfig {
  const {
    state,
    db,
    listen,
    url,
    tlsCertificate,
    tlsKey,
    join: joining,
    logLevel: level,
    interval,
    webhookAllow,
  } = options;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-certificate and --tls-key go together');
  }
  return {
    stateDir: resolve(state),
    listen,
    joining,
    log: { level },
    ...(interval === undefined ? {} : { attestation: attestationEvery(interval) }),
    ...(webhookAllow === undefined ? {} : { grants: { webhooks: { allow: webhookAllow } } }),
    ...(db === undefined ? {} : { databaseUrl: db }),
    ...(url === undefined ? {} : { publicUrl: url.replace(/\/$/, '') }),
    ...(tlsCertificate === undefined || tlsKey === undefined
      ? {}
      : { tls: { certificatePath: tlsCertificate, keyPath: tlsKey } }),
  };
}

/** A machine may miss one attestation, and sleep for three, without losing its trust or its challenge. */
const attestationEvery = (intervalMs: number): NonNullable<ServerConfig['attestation']> => ({
  intervalMs,
  trustMs: 2 * intervalMs + 5 * 60_000,
  challengeMs: 4 * intervalMs,
});

async function serveUntilStopped(running: Pick<ServingService, 'close'>): Promise<void> {
  await Promise.race((['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((signal) => once(process, signal)));
  await running.close();
}

/** What the operators' commands need; written with the first token, and kept to where the service is. */
function keepAdminFile(stateDir: string, { url, caCertificate: ca, firstAdminToken }: ServingService): string {
  const path = join(stateDir, ADMIN_FILE);
  const token = firstAdminToken ?? (existsSync(path) ? readServiceFile(path).token : undefined);
  if (token !== undefined) writeServiceFile(createServiceFile(path, true), { url, ca, token });
  return path;
}

function startText(options: ServeOptions, running: ServingService, adminFile: string): string {
  const { url, caSha256, firstAdminToken } = running;
  const lines = [
    `serving at ${url}`,
    `  state     ${options.state}`,
    `  database  ${options.db === undefined ? 'SQLite, in the state folder' : options.db.replace(/:\/\/[^@/]*@/, '://…@')}`,
    `  CA pin    ${caSha256}`,
  ];
  if (firstAdminToken === undefined) return lines.join('\n');
  const service = adminFile === resolve(DEFAULT_STATE, ADMIN_FILE) ? '' : ` --service ${adminFile}`;
  return [
    ...lines,
    '',
    `The first admin's token, shown now and never again: ${firstAdminToken}`,
    `It is in ${adminFile} too, for the commands of operators; keep it as you keep a root password.`,
    '',
    'Next:',
    `  vouchsafe trust add --for tpm-maker MAKERS.pem${service}     whose TPMs are genuine`,
    `  vouchsafe token create${service}                              leave for one machine to join`,
  ].join('\n');
}
