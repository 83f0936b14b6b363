// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { decide, type PreparedPolicy, type Verdict } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { type CertifiedKeyUse, type KeyEvidence, type VerifiedKey, verifyKey } from '@vouchsafe/identity';
import { fingerprintOf } from '@vouchsafe/pki';
import { encodeBase64url, type GrantedCertificate, type GrantedSecret } from '@vouchsafe/protocol';
import type { TpmSigningKey } from '@vouchsafe/tpm';
import { ServerError } from '../error.ts';
import type { AttestationEffects } from '../store/attestation-effects.ts';
import type { Store } from '../store/open-store.ts';
import type { CertificateRow } from '../store/rows/certificates.ts';
import type { GrantState } from '../store/rows/device-keys.ts';
import type { SecretRow } from '../store/rows/secrets.ts';
import type { Rows } from '../store/rows.ts';
import type { Act } from './act.ts';
import { auditEntryOf } from './audit/entry.ts';
import { crlUrlOf } from './certificates/crl-url.ts';
import { issueClientCertificate } from './certificates/issue.ts';
import { formatSerialNumber } from './certificates/serial-number.ts';
import type { GrantKeys } from './grant-keys.ts';
import type { GrantSettings } from './grant-settings.ts';
import { openSecret } from './secrets/secrets.ts';
import { wrapSecret } from './secrets/wrap-secret.ts';
import type { Service } from './service.ts';

/** What granting works with. */
export interface Granting {
  readonly store: Store;
  readonly keys: GrantKeys;
  readonly settings: GrantSettings;
  /** Where the revocation list of clients is; undefined while the service does not know its address. */
  readonly crlUrl: string | undefined;
  /** A secret's policy, ready to be asked. */
  preparePolicy(name: string, text: string): PreparedPolicy;
}

/** What granting works with, of a service. */
export const grantingOf = (service: Service): Granting => ({
  store: service.store,
  keys: service.keys,
  settings: service.config.grants,
  crlUrl: crlUrlOf(service, 'client'),
  preparePolicy: service.preparePolicy,
});

/** One attestation whose evidence was authentic, before its verdict is recorded. */
export interface GrantRequest {
  readonly deviceId: string;
  readonly verdict: Verdict;
  /** As the verdict before had it; undefined for the first. */
  readonly before: { readonly status: string | null; readonly isTrusted: boolean } | undefined;
  readonly nowMs: number;
  readonly attestationKey: TpmSigningKey;
  readonly nonce: Uint8Array;
  readonly challengeIssuedAtMs: number;
  readonly keys?: { readonly client?: KeyEvidence; readonly decryption?: KeyEvidence };
  /** Names that the machine asks for. */
  readonly secrets?: readonly string[];
}

/** What is granted once the effects are committed with the verdict, and not before. */
export interface PreparedGrants {
  readonly certificate?: GrantedCertificate;
  /** Once it is committed: a secret that was taken back or changed meanwhile is refused. */
  readonly secrets?: readonly GrantedSecret[] | undefined;
  /** All that goes with it into the verdict's own transaction; may run again, in another one. */
  readonly effects: AttestationEffects;
}

/**
 * What a machine gets for its verdict: a certificate when one is due, the secrets that it may have. A verdict that does not
 * grant trust revokes what the machine has, in the same transaction.
 * @throws {ServerError} 'key_refused' for a key that is not this TPM's, or not fit
 */
export async function prepareGrants(granting: Granting, request: GrantRequest): Promise<PreparedGrants> {
  const { store } = granting;
  const { deviceId, verdict, nowMs } = request;
  const certified = verifyKeys(request);
  const known = await store.read.deviceKeys.state(deviceId);
  const acts: Act[] = changeActs(request);
  const writes: ((tx: Rows) => Promise<void>)[] = [];
  for (const { use, spki } of certified) {
    const row = { device_id: deviceId, use, spki, certified_at_ms: nowMs };
    writes.push((tx) => tx.deviceKeys.put(row));
  }
  const keyOf = (use: CertifiedKeyUse): Pick<VerifiedKey, 'spki' | 'use'> | undefined =>
    certified.find((key) => key.use === use) ?? storedKey(known, use);

  if (!verdict.isTrusted) {
    writes.push(async (tx) => {
      const count = await tx.certificates.revokeAll(deviceId, ['client'], nowMs, 'privilegeWithdrawn');
      if (count > 0) await append(tx, [revocationAct(deviceId, count, 'the verdict refused it')], nowMs);
    });
  }
  const certificate = verdict.isTrusted ? await dueCertificate(granting, request, keyOf('client'), known) : undefined;
  if (certificate !== undefined) {
    acts.push(certificate.act);
  }
  const secrets =
    request.secrets === undefined ? undefined : await releaseSecrets(granting, request, keyOf('decryption'));
  let answers: readonly GrantedSecret[] | undefined = secrets?.map(({ answer }) => answer);
  const also = async (tx: Rows): Promise<void> => {
    for (const write of writes) await write(tx);
    if (secrets === undefined) return;
    const held = await holdSecrets(tx, secrets);
    await append(
      tx,
      held.flatMap(({ act }) => (act === undefined ? [] : [act])),
      nowMs,
    );
    answers = held.map(({ answer }) => answer);
  };
  return {
    ...(certificate === undefined ? {} : { certificate: certificate.granted }),
    get secrets() {
      return answers;
    },
    effects: {
      certificates: certificate === undefined ? [] : [certificate.row],
      audit: acts.map((act) => auditEntryOf(act, nowMs)),
      ...(writes.length === 0 && secrets === undefined ? {} : { also }),
    },
  };
}

const device = (name: string) => ({ kind: 'device', name }) as const;
const SERVICE = { kind: 'service', name: 'vouchsafe' } as const;

const append = (tx: Rows, acts: readonly Act[], nowMs: number): Promise<void> =>
  tx.audit.append(acts.map((act) => auditEntryOf(act, nowMs)));

/** A record of a revocation. */
function revocationAct(deviceId: string, count: number, why: string): Act {
  return { kind: 'certificate.revoke', actor: SERVICE, subject: deviceId, detail: { count, why } };
}

/** A verdict is told of when it is another than the one before. */
function changeActs({ deviceId, verdict, before }: GrantRequest): Act[] {
  const { status, isTrusted, image, references, policy } = verdict;
  if (before?.status === status && before.isTrusted === isTrusted) return [];
  const reasons = [...new Set(verdict.findings.filter((one) => one.severity === 'error').map(({ code }) => code))];
  const detail = {
    status,
    isTrusted,
    ...(before === undefined ? {} : { before: before.status }),
    ...(image === undefined ? {} : { image: { name: image.name, version: image.version } }),
    reasons: reasons.slice(0, 32),
    policy,
    references,
  };
  return [{ kind: 'verdict.change', actor: device(deviceId), subject: deviceId, detail }];
}

function verifyKeys({ keys = {}, attestationKey, nonce }: GrantRequest): VerifiedKey[] {
  const given: readonly (readonly [CertifiedKeyUse, KeyEvidence | undefined])[] = [
    ['client', keys.client],
    ['decryption', keys.decryption],
  ];
  return given.flatMap(([use, evidence]) => {
    if (evidence === undefined) return [];
    const { key, findings } = verifyKey(evidence, use, { attestationKey, nonce });
    if (key !== undefined) return [key];
    const what = findings
      .map(({ code, where }) => `${code}${where.path === undefined ? '' : ` ${where.path}`}`)
      .join(', ');
    throw new ServerError('key_refused', `the ${use} key is not one that only this TPM can use: ${what}`, {
      members: { findings },
    });
  });
}

function storedKey(state: GrantState, use: CertifiedKeyUse): Pick<VerifiedKey, 'spki' | 'use'> | undefined {
  const spki = use === 'client' ? state.clientSpki : state.decryptionSpki;
  return spki === undefined ? undefined : { use, spki };
}

interface Due {
  readonly granted: GrantedCertificate;
  readonly act: Act;
  readonly row: Omit<CertificateRow, 'der'>;
}

/** A new certificate when half of the last one's life is over, or a key was certified just now. */
async function dueCertificate(
  { keys, settings, crlUrl }: Granting,
  { deviceId, nowMs, keys: given }: GrantRequest,
  key: Pick<VerifiedKey, 'spki' | 'use'> | undefined,
  { certificateEndsAtMs }: GrantState,
): Promise<Due | undefined> {
  if (key === undefined || key.use !== 'client') return undefined;
  const isNew = given?.client !== undefined;
  if (!isNew && certificateEndsAtMs !== undefined && nowMs < certificateEndsAtMs - settings.certificateMs / 2) {
    return undefined;
  }
  const { trustDomain, certificateMs: lifetimeMs } = settings;
  const certificate = await issueClientCertificate(
    { deviceId, trustDomain, key: { use: 'client', spki: key.spki }, nowMs, lifetimeMs, crlUrl },
    keys.client,
  );
  const { notBeforeMs, notAfterMs } = certificate.validity;
  const serial = formatSerialNumber(certificate.serialNumber);
  const row = {
    serial,
    authority: 'client',
    device_id: deviceId,
    sha256: toHex(fingerprintOf(certificate)),
    issued_at_ms: nowMs,
    not_after_ms: notAfterMs,
    revoked_at_ms: null,
    reason: null,
  } as const;
  return {
    granted: {
      chain: [certificate, keys.client.certificate].map(({ bytes }) => encodeBase64url(bytes)),
      notBeforeMs,
      notAfterMs,
      renewAtMs: notAfterMs - Math.floor((notAfterMs - nowMs) / 2),
    },
    act: { kind: 'certificate.issue', actor: device(deviceId), subject: deviceId, detail: { serial, notAfterMs } },
    row,
  };
}

const REFUSALS = {
  not_granted: 'There is no such secret for this machine as it is now',
  challenge_too_old:
    'Ask for a new challenge and quote over it at once: a secret needs one that is younger than a minute',
  decryption_key_missing: "Certify a decryption key of this machine's TPM with the evidence",
} as const;

/** The answer for one secret that was asked for. */
interface Released {
  readonly answer: GrantedSecret;
  /** Where it is given. */
  readonly act?: Act;
  /** What the decision rests on. */
  readonly row?: SecretRow;
}

async function releaseSecrets(
  granting: Granting,
  request: GrantRequest,
  key: Pick<VerifiedKey, 'spki' | 'use'> | undefined,
): Promise<readonly Released[]> {
  const { store, keys, settings } = granting;
  const { deviceId, verdict, nowMs, challengeIssuedAtMs, secrets = [] } = request;
  const isFresh = nowMs - challengeIssuedAtMs <= settings.secretChallengeMs;
  const released: Released[] = [];
  for (const name of secrets) {
    // In this order, so that a machine that may not have it learns nothing more.
    if (!(verdict.isTrusted && verdict.status === 'affirming')) {
      released.push(refused(name, 'not_granted'));
    } else if (!isFresh) {
      released.push(refused(name, 'challenge_too_old'));
    } else if (key === undefined || key.use !== 'decryption') {
      released.push(refused(name, 'decryption_key_missing'));
    } else {
      const row = await store.read.secrets.find(name);
      const isPermitted =
        row !== undefined &&
        decide(granting.preparePolicy(row.policy_name, row.policy_text), releaseOf(deviceId, name), verdict.facts)
          .isPermitted;
      const plain = isPermitted ? await openSecret(store.read, keys.ring, row) : undefined;
      if (row === undefined || plain === undefined) {
        released.push(refused(name, 'not_granted'));
        continue;
      }
      const { version } = row;
      const answer = wrapSecret({ name, version, plain }, deviceId, { use: 'decryption', spki: key.spki });
      plain.fill(0);
      const act = { kind: 'secret.release', actor: device(deviceId), subject: name, detail: { version } };
      released.push({ answer, act, row });
    }
  }
  return released;
}

const refused = (name: string, code: keyof typeof REFUSALS): Released => ({
  answer: { name, state: 'refused', code, hint: REFUSALS[code] },
});

/**
 * Before the answer goes out: what an operator has taken back, or put under another policy, since it was decided is not given.
 * Whoever does so later waits until the answer is on the record.
 */
async function holdSecrets(tx: Rows, released: readonly Released[]): Promise<readonly Released[]> {
  const held: Released[] = [];
  for (const one of released) {
    const { row } = one;
    const isSame = row === undefined || isDeepStrictEqual({ ...(await tx.secrets.hold(row.name)) }, { ...row });
    held.push(isSame ? one : refused(one.answer.name, 'not_granted'));
  }
  return held;
}

const releaseOf = (machine: string, secret: string) => ({ action: 'release', machine, secret }) as const;
