// SPDX-License-Identifier: Apache-2.0
import { ServerError } from '../error.ts';
import { requireTrustDomain } from './certificates/spiffe-id.ts';

/** Where the key comes from that secrets and the service's own keys are encrypted with. See `parseKeyRing` for its form. */
export type SecretKeySource =
  /** A file for its owner alone. That in the state folder is made when it is not there. */
  | { readonly kind: 'file'; readonly path: string }
  /** By its name in $CREDENTIALS_DIRECTORY: systemd.exec(5), LoadCredentialEncrypted=. */
  | { readonly kind: 'credential'; readonly name: string }
  /** A program and its arguments that print it, such as one that has a PKCS #11 token decrypt it. No shell takes part. */
  | { readonly kind: 'command'; readonly command: readonly string[] };

/** A key that is not the service's to keep: a program signs with it, see `openCommandSigner`. */
export interface SigningCommand {
  readonly command: readonly string[];
  /** PEM of the key's certificate. For an authority it must be one of an authority. */
  readonly certificatePath: string;
  /** What the program reads; the digest's octets when left out. */
  readonly stdin?: 'digest' | 'hex' | 'digest-info';
}

/** What is granted, and for how long. Everything has a default. */
export interface GrantSettings {
  /** Of SPIFFE IDs. */
  readonly trustDomain: string;
  /** How long a client certificate is valid. It is renewed when half of that is over. */
  readonly certificateMs: number;
  /** How long a certificate of an attestation key is valid. */
  readonly attestationCertificateMs: number;
  /** How long proxies may go by a revocation list; a new one is made when a part of that is over, and with each revocation. */
  readonly revocationListMs: number;
  /** How old a challenge may be when a secret is released over it. */
  readonly secretChallengeMs: number;
  /** A file in the state folder when left out. */
  readonly secretKey?: SecretKeySource;
  /** Keys of the service that are elsewhere, in a hardware module above all. */
  readonly signers?: { readonly client?: SigningCommand; readonly attestation?: SigningCommand };
  /** Name of the audit log in its heads, the same for the log's whole life. */
  readonly auditOrigin: string;
  readonly webhooks: WebhookSettings;
  readonly retention: RetentionSettings;
}

export interface WebhookSettings {
  /** Addresses that webhooks may be sent to: '10.1.0.0/16'. None unless said. */
  readonly allow: readonly string[];
  /** Take http:// too; for receivers on the same host. */
  readonly allowHttp: boolean;
}

export interface RetentionSettings {
  /** Of verdicts and what they said; the last of each device stays. */
  readonly verdictsMs: number;
  /** Of boot logs; that of each device's last good boot stays. */
  readonly bootLogsMs: number;
  /** Of audit entries; what follows can still be proved to be unaltered. */
  readonly auditMs: number;
}

/** What callers may leave out. */
export type GrantOptions = Partial<Omit<GrantSettings, 'webhooks' | 'retention'>> & {
  readonly webhooks?: Partial<WebhookSettings>;
  readonly retention?: Partial<RetentionSettings>;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** @throws {ServerError} 'configuration_invalid' */
export function settleGrants(options: GrantOptions = {}): GrantSettings {
  if (options.trustDomain !== undefined) requireTrustDomain(options.trustDomain);
  return {
    trustDomain: 'vouchsafe.internal',
    certificateMs: 60 * MINUTE_MS,
    attestationCertificateMs: 5 * 365 * DAY_MS,
    revocationListMs: DAY_MS,
    secretChallengeMs: MINUTE_MS,
    auditOrigin: 'vouchsafe/audit',
    ...options,
    webhooks: { allow: [], allowHttp: false, ...options.webhooks },
    retention: settleRetention(options.retention),
  };
}

/** What is kept for less than this could be forgotten while it is looked at. */
const MIN_KEPT_MS = DAY_MS;

function settleRetention(given: Partial<RetentionSettings> = {}): RetentionSettings {
  const settled = { verdictsMs: 90 * DAY_MS, bootLogsMs: 90 * DAY_MS, auditMs: 2 * 365 * DAY_MS, ...given };
  const short = Object.entries(settled).find(([, ms]) => !(ms >= MIN_KEPT_MS));
  if (short === undefined) return settled;
  throw new ServerError(
    'configuration_invalid',
    `retention, ${short[0]}: expected a day or more, found ${short[1]} ms`,
  );
}
