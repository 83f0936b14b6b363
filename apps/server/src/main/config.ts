// SPDX-License-Identifier: Apache-2.0
import { type GrantOptions, type GrantSettings, settleGrants } from '../domain/grant-settings.ts';

/** How a service runs. Everything has a default but the state folder. */
export interface ServerConfig {
  /** Where the service keeps its keys and, with SQLite, its database. Made when it is not there, for its owner alone. */
  readonly stateDir: string;
  /** `postgres://…` or `sqlite:PATH`; a file in the state folder when left out. */
  readonly databaseUrl?: string;
  readonly listen?: { readonly host: string; readonly port: number };
  /** How machines and operators reach the service, when that is not where it listens: `https://name:port`. */
  readonly publicUrl?: string;
  /** PEM files: the certificate with its chain, and its key. Generated in the state folder when left out. */
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string };
  /** Ways of joining that are open. Each needs an operator's deed: a token, a registration, an approval. */
  readonly joining?: { readonly token?: boolean; readonly inventory?: boolean; readonly approval?: boolean };
  readonly attestation?: Partial<AttestationSettings>;
  readonly limits?: Partial<RequestLimits>;
  /** Certificates, secrets, the audit log, webhooks. */
  readonly grants?: GrantOptions;
  readonly log?: LogSettings;
  /** How long requests that are under way may take when the service ends; then their connections are closed. */
  readonly stopMs?: number;
  /** Milliseconds since 1970; for tests that move the clock. */
  readonly now?: () => number;
}

export interface AttestationSettings {
  /** How often a machine is asked to attest. */
  readonly intervalMs: number;
  /** How long after the last good attestation a machine stays trusted. */
  readonly trustMs: number;
  /** How long a challenge may be held; longer than the interval, as machines sleep. */
  readonly challengeMs: number;
  /** A challenge younger than this is fresh: nothing is asked of the TPM's clock. */
  readonly freshMs: number;
  /** How much slower a TPM's clock may run than ours. TPM 2.0 Library, Part 1, Timing Components: 32.5% is allowed, real ones keep within a few. */
  readonly clockTolerance: number;
  /** Accept endorsement certificates that have expired: hardware outlives them. */
  readonly acceptExpiredEndorsements: boolean;
  /** Ask for the PCRs and the log of a dynamic launch. */
  readonly wantsLaunch: boolean;
}

export interface RequestLimits {
  readonly enrolmentsPerMinute: number;
  /** Of one device. */
  readonly evidencePerMinute: number;
  /** Of all machines behind one address, whichever device they name: 200 times the above unless said. */
  readonly machinesPerMinute: number;
  /** Of these the ones that were refused, by address; then none is taken for the rest of the minute: 20 times unless said. */
  readonly refusalsPerMinute: number;
  /** Of operators and all else, by address. */
  readonly requestsPerMinute: number;
  /** Failed sign-ins, by address. */
  readonly signInsPerMinute: number;
}

export interface LogSettings {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** Where lines go; standard error when left out. */
  readonly stream?: { write(line: string): void };
}

/** A configuration in which everything is said. */
export interface SettledConfig {
  readonly stateDir: string;
  readonly databaseUrl: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly publicUrl: string | undefined;
  readonly tls: ServerConfig['tls'] | undefined;
  readonly joining: { readonly token: boolean; readonly inventory: boolean; readonly approval: boolean };
  readonly attestation: AttestationSettings;
  readonly limits: RequestLimits;
  readonly grants: GrantSettings;
  readonly log: LogSettings;
  readonly stopMs: number;
  readonly now: () => number;
}

const MINUTE_MS = 60_000;

export const DEFAULT_PORT = 8443;

export function settleConfig(config: ServerConfig): SettledConfig {
  return {
    stateDir: config.stateDir,
    databaseUrl: config.databaseUrl ?? `sqlite:${config.stateDir}/vouchsafe.db`,
    listen: config.listen ?? { host: '127.0.0.1', port: DEFAULT_PORT },
    publicUrl: config.publicUrl,
    tls: config.tls,
    joining: { token: true, inventory: true, approval: false, ...config.joining },
    attestation: {
      intervalMs: 15 * MINUTE_MS,
      trustMs: 35 * MINUTE_MS,
      challengeMs: 60 * MINUTE_MS,
      freshMs: MINUTE_MS,
      clockTolerance: 0.15,
      acceptExpiredEndorsements: false,
      wantsLaunch: false,
      ...config.attestation,
    },
    limits: settleLimits(config.limits),
    grants: settleGrants(config.grants),
    log: config.log ?? { level: 'info' },
    stopMs: config.stopMs ?? 10_000,
    now: config.now ?? Date.now,
  };
}

function settleLimits({ evidencePerMinute = 30, ...given }: Partial<RequestLimits> = {}): RequestLimits {
  return {
    enrolmentsPerMinute: 60,
    evidencePerMinute,
    machinesPerMinute: 200 * evidencePerMinute,
    refusalsPerMinute: 20 * evidencePerMinute,
    requestsPerMinute: 1200,
    signInsPerMinute: 30,
    ...given,
  };
}
