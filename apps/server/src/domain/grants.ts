// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { type CertifiedKeyUse, type KeyEvidence, type VerifiedKey, verifyKey } from '@vouchsafe/identity';
import { fingerprintOf } from '@vouchsafe/pki';
import { encodeBase64url, type GrantedCertificate, type GrantedSecret } from '@vouchsafe/protocol';
import type { TpmSigningKey } from '@vouchsafe/tpm';
import { ServerError } from '../error.ts';
import type { AttestationEffects } from '../store/attestation-effects.ts';
import type { CertificateRow } from '../store/rows/certificates.ts';
import type { GrantState } from '../store/rows/device-keys.ts';
import type { Rows } from '../store/rows.ts';
import type { Act } from './act.ts';
import { auditEntryOf } from './audit/entry.ts';
import { crlUrlOf } from './certificates/crl-url.ts';
import { issueClientCertificate } from './certificates/issue.ts';
import { formatSerialNumber } from './certificates/serial-number.ts';
import { holdSecrets, type Releasing, releaseSecrets } from './secrets/release-secrets.ts';
import type { Service } from './service.ts';

/** What granting works with. */
export interface Granting extends Releasing {
  /** Where the revocation list of clients is; undefined while the service does not know its address. */
  readonly crlUrl: string | undefined;
}

/** What granting works with, of a service. */
export const grantingOf = (service: Service): Granting => ({
  store: service.store,
  keys: service.keys,
  settings: service.config.grants,
  crlUrl: crlUrlOf(service, 'client'),
  preparePolicy: service.preparePolicy,
  log: service.log,
});

/** One attestation whose evidence was authentic, before its verdict is recorded. */
export interface GrantRequest {
  readonly deviceId: string;
  readonly verdict: Verdict;
  /** As the verdict before had it; undefined for the first. */
  readonly before: { readonly status: string | null; readonly isTrusted: boolean } | undefined;
  readonly nowMs: number;
  /** What it has, where that is known; else it is looked up. */
  readonly held?: GrantState | undefined;
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
  /** What the machine has then. */
  readonly state: GrantState;
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
  const known = request.held ?? (await store.read.deviceKeys.state(deviceId));
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
    state: {
      clientSpki: keyOf('client')?.spki,
      decryptionSpki: keyOf('decryption')?.spki,
      certificateEndsAtMs: verdict.isTrusted ? (certificate?.row.not_after_ms ?? known.certificateEndsAtMs) : undefined,
      validEndsMs: verdict.isTrusted ? (certificate?.validEndsMs ?? known.validEndsMs) : undefined,
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
  /** With those of before that are good still. */
  readonly validEndsMs: readonly number[];
}

/** Certificates of one machine that are good at a time. Renewals alone make three. */
const MAX_VALID = 16;

/** A new certificate when half of the last one's life is over, or a key was certified just now. */
async function dueCertificate(
  { store, keys, settings, crlUrl }: Granting,
  { deviceId, nowMs, keys: given }: GrantRequest,
  key: Pick<VerifiedKey, 'spki' | 'use'> | undefined,
  { certificateEndsAtMs, validEndsMs }: GrantState,
): Promise<Due | undefined> {
  if (key === undefined || key.use !== 'client') return undefined;
  const isNew = given?.client !== undefined;
  if (!isNew && certificateEndsAtMs !== undefined && nowMs < certificateEndsAtMs - settings.certificateMs / 2) {
    return undefined;
  }
  // A machine that has a new key each time does not fill database and revocation list.
  const valid = (validEndsMs ?? (await store.read.certificates.validEnds(deviceId, nowMs, MAX_VALID))).filter(
    (endsMs) => endsMs > nowMs,
  );
  if (valid.length >= MAX_VALID) return undefined;
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
    validEndsMs: [...valid, notAfterMs],
  };
}
