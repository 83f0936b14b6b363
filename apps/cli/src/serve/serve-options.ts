// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { DEFAULT_PORT, type ServerConfig } from '@vouchsafe/server';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { collectList, commandWords, wholeNumber } from '../parse.ts';
import { lifeMs } from '../service/life-time.ts';
import { UsageError } from '../usage-error.ts';

type Limits = NonNullable<ServerConfig['limits']>;
type SecretKeySource = NonNullable<NonNullable<ServerConfig['grants']>['secretKey']>;

/** As they are given; the service's own defaults stand for what is left out. */
export interface ServeOptions {
  readonly state: string;
  readonly db?: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly url?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly join: NonNullable<ServerConfig['joining']>;
  readonly interval?: number;
  readonly acceptExpiredEndorsements?: true;
  readonly wantLaunch?: true;
  readonly trustDomain?: string;
  readonly secretKey?: SecretKeySource;
  readonly keepVerdicts?: number;
  readonly keepBootLogs?: number;
  readonly keepAudit?: number;
  readonly limit?: Limits;
  readonly webhookAllow?: readonly string[];
  readonly workers: number;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

export const DEFAULT_STATE = 'vouchsafe-state';
const MAX_WORKERS = 256;
const MIN_INTERVAL_MS = 10_000;
const MAX_INTERVAL_MS = 86_400_000;
const DAY_MS = 86_400_000;
/** What is limited, as it is called here. */
const LIMITS: ReadonlyMap<string, keyof Limits> = new Map([
  ['machines', 'machinesPerMinute'],
  ['refused', 'refusalsPerMinute'],
  ['device', 'evidencePerMinute'],
  ['enrolments', 'enrolmentsPerMinute'],
  ['requests', 'requestsPerMinute'],
  ['sign-ins', 'signInsPerMinute'],
]);
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

function keptMs(text: string): number {
  const ms = lifeMs(text);
  if (ms < DAY_MS) throw new InvalidArgumentError('Expected a day or more, as in 90d.');
  return ms;
}

function secretKey(text: string): SecretKeySource {
  const [, kind, rest = ''] = /^(file|credential|command):(.+)$/s.exec(text) ?? [];
  if (kind === 'file') return { kind, path: resolve(rest) };
  if (kind === 'credential') return { kind, name: rest };
  if (kind === 'command') return { kind, command: commandWords(rest) };
  throw new InvalidArgumentError('Expected file:PATH, credential:NAME or command:PROGRAM ARGUMENTS.');
}

/** NAME=N of each, joined by commas; given again, the later one counts. */
function requestLimits(text: string, earlier: Limits = {}): Limits {
  const given = collectList(text).map((one) => {
    const [, name = '', count = ''] = /^([a-z-]+)=([1-9][0-9]{0,8})$/.exec(one) ?? [];
    const limit = LIMITS.get(name);
    if (limit !== undefined) return [limit, Number(count)] as const;
    throw new InvalidArgumentError(`Expected NAME=N, as machines=6000; names: ${[...LIMITS.keys()].join(', ')}.`);
  });
  return { ...earlier, ...Object.fromEntries(given) };
}

function logLevel(text: string): ServeOptions['logLevel'] {
  const level = LEVELS.find((one) => one === text);
  if (level === undefined) throw new InvalidArgumentError(`Expected one of ${LEVELS.join(', ')}.`);
  return level;
}

const EXAMPLES = `
Example:
  vouchsafe serve --state vouchsafe-state --listen 0.0.0.0:8443 --url https://vouchsafe.example:8443

One of several instances, with the key of secrets from a systemd credential:
  vouchsafe serve --db postgres://vouchsafe@db.example/vouchsafe --secret-key credential:vouchsafe.key

With the key of secrets decrypted by a PKCS #11 token:
  vouchsafe serve --secret-key "command:pkcs11-tool --decrypt --mechanism RSA-PKCS-OAEP --id 01 -i secrets.enc"`;

/** What `vouchsafe serve` takes. */
export function defineServe(command: Command): Command {
  return command
    .description(
      'Runs the service: machines enrol and attest, operators decide whom and what to trust. Everything it needs it makes on its first start.',
    )
    .option('--state <folder>', 'where its keys and its database are', DEFAULT_STATE)
    .option('--db <url>', 'postgres://… or sqlite:FILE (default: a file in the state folder)')
    .addOption(
      new Option('--listen <place>', 'PORT or HOST:PORT')
        .argParser(listenPlace)
        .default({ host: '127.0.0.1', port: DEFAULT_PORT }, `127.0.0.1:${DEFAULT_PORT}`),
    )
    .option('--url <url>', 'how machines reach it, when that is not where it listens: https://NAME[:PORT]')
    .option('--tls-certificate <file>', 'its certificate and what leads to the authority, PEM (default: its own)')
    .option('--tls-key <file>', 'the key of that certificate, PEM')
    .addOption(
      new Option('--join <ways>', `ways of joining that are open: ${WAYS.join(', ')}`)
        .argParser(waysIn)
        .default({ token: true, inventory: true }, 'token,inventory'),
    )
    .option('--interval <span>', 'how often machines attest, as 15m, which it is unless given', intervalMs)
    .option('--accept-expired-endorsements', 'let in TPMs whose certificates have expired: hardware outlives them')
    .option('--want-launch', 'ask for the PCRs and the log of a dynamic launch')
    .option('--trust-domain <name>', 'of the SPIFFE IDs in certificates (default: vouchsafe.internal)')
    .option(
      '--secret-key <source>',
      'what secrets and keys are encrypted with at rest: file:PATH, credential:NAME of systemd, or command:PROGRAM that prints it (default: a file in the state folder)',
      secretKey,
    )
    .option('--keep-verdicts <span>', 'how long verdicts are kept (default: 90d)', keptMs)
    .option('--keep-boot-logs <span>', 'how long boot logs are kept that no device has now (default: 90d)', keptMs)
    .option('--keep-audit <span>', 'how long entries of the audit log are kept (default: 730d)', keptMs)
    .option(
      '--limit <name=n>',
      'requests a minute from one address, in each process: machines=6000, of which refused=600; device=30 of one device; enrolments=60, requests=1200 of others, sign-ins=30 that fail',
      requestLimits,
    )
    .option('--webhook-allow <ranges>', 'where webhooks may go to, as 10.1.0.0/16; nowhere unless given', collectList)
    .option('--workers <n>', 'processes that share the work', workerCount, 1)
    .option('--log-level <level>', LEVELS.join(', '), logLevel, 'info')
    .option('--json', 'print where it is as one JSON document')
    .addHelpText('after', EXAMPLES);
}

/** @throws {UsageError} */
export function configOf(options: ServeOptions): ServerConfig {
  const { state, db, listen, url, tlsCertificate, tlsKey, join: joining, logLevel: level, limit: limits } = options;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-certificate and --tls-key go together');
  }
  return {
    stateDir: resolve(state),
    listen,
    joining,
    log: { level },
    attestation: attestationOf(options),
    grants: grantsOf(options),
    ...(limits === undefined ? {} : { limits }),
    ...(db === undefined ? {} : { databaseUrl: db }),
    ...(url === undefined ? {} : { publicUrl: url.replace(/\/$/, '') }),
    ...(tlsCertificate === undefined || tlsKey === undefined
      ? {}
      : { tls: { certificatePath: tlsCertificate, keyPath: tlsKey } }),
  };
}

function attestationOf({ interval, acceptExpiredEndorsements, wantLaunch }: ServeOptions) {
  return {
    ...(interval === undefined ? {} : attestationEvery(interval)),
    ...(acceptExpiredEndorsements === true ? { acceptExpiredEndorsements } : {}),
    ...(wantLaunch === true ? { wantsLaunch: wantLaunch } : {}),
  };
}

function grantsOf(options: ServeOptions): NonNullable<ServerConfig['grants']> {
  const { trustDomain, secretKey: source, keepVerdicts, keepBootLogs, keepAudit, webhookAllow } = options;
  return {
    ...(trustDomain === undefined ? {} : { trustDomain }),
    ...(source === undefined ? {} : { secretKey: source }),
    ...(webhookAllow === undefined ? {} : { webhooks: { allow: webhookAllow } }),
    retention: {
      ...(keepVerdicts === undefined ? {} : { verdictsMs: keepVerdicts }),
      ...(keepBootLogs === undefined ? {} : { bootLogsMs: keepBootLogs }),
      ...(keepAudit === undefined ? {} : { auditMs: keepAudit }),
    },
  };
}

/** A machine may miss one attestation, and sleep for three, without losing its trust or its challenge. */
const attestationEvery = (intervalMs: number): NonNullable<ServerConfig['attestation']> => ({
  intervalMs,
  trustMs: 2 * intervalMs + 5 * 60_000,
  challengeMs: 4 * intervalMs,
});
