// SPDX-License-Identifier: Apache-2.0
import { type Evidence as AppraisedEvidence, appraise, type BootState, type Verdict } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import type { KeyEvidence } from '@vouchsafe/identity';
import {
  type AttestationResult,
  type Challenge,
  type Evidence,
  type KeyCertification,
  parseBase64url,
} from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import { attestations, refusals } from '../../main/metrics.ts';
import type { AttestationEffects } from '../../store/attestation-effects.ts';
import type { AttestationRecord } from '../../store/rows/attestations.ts';
import type { GrantState } from '../../store/rows/device-keys.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import type { Rows } from '../../store/rows.ts';
import { type GrantRequest, grantingOf, type PreparedGrants, prepareGrants } from '../grants.ts';
import { sha256Of } from '../random.ts';
import type { Snapshot } from '../references/snapshot.ts';
import { signEar } from '../results/ear-token.ts';
import type { Service } from '../service.ts';
import { buildChallenge, selectionFor } from './challenge.ts';
import type { KnownDevice } from './device-cache.ts';
import { needsFreshChallenge } from './held-challenge.ts';
import { type IssuedNonce, openNonce } from './nonce.ts';
import { openEvidence, withFirmwareLog } from './open-evidence.ts';
import { storedState } from './stored-state.ts';
import { detailOf, storedDetail, type VerdictDetail, wireFinding } from './wire-verdict.ts';

/** Others change devices and references meanwhile; so often in a row nobody does. */
const MAX_TRIES = 5;
/** Instances' clocks differ by so much at most. */
const SKEW_MS = 5_000;
const MAX_FINDINGS = 16;
/** Evidence that is kept to be looked at. */
const MAX_KEPT_CHARS = 8 * 1024 * 1024;

/** @throws {ServerError} 'device_not_enrolled', 'device_quarantined' */
export async function issueChallenge(service: Service, deviceId: string): Promise<Challenge> {
  const snapshot = await service.references.current();
  return buildChallenge(service, await findDevice(service, deviceId, snapshot), snapshot, service.clock());
}

/**
 * Evidence in, a verdict out: nonce, quote, clock, logs, references, policy; then all that follows from it is written in one
 * transaction with the nonce, and only then is it said.
 * @throws {ServerError} 'device_…', 'challenge_…', 'evidence_not_authentic', 'log_wanted': nothing is changed then, and
 * what the device was trusted for runs out in its time
 */
export async function attest(service: Service, deviceId: string, message: Evidence): Promise<AttestationResult> {
  try {
    const nonce = parseBase64url(message.nonce);
    let evidence: AppraisedEvidence | undefined;
    let snapshot = await service.references.current();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const nowMs = service.clock();
      const device = await findDevice(service, deviceId, snapshot);
      const issued = checkNonce(service, device, nonce, nowMs);
      // Megabytes of logs are not decoded for whoever has no challenge.
      evidence ??= openEvidence(message);
      const { verdict, log } = await judge(service, {
        ...{ device, snapshot, evidence, nonce, issued, nowMs },
        relyingPartyNonce: message.relyingPartyNonce,
      });
      const detail = detailOf(verdict);
      const record = recordOf(service, { device, snapshot, verdict, detail, nonce, issued, nowMs, log });
      const grants = await prepareGrants(grantingOf(service), grantRequest(device, verdict, message, issued, nowMs));
      const kept = await alongside({ device, verdict, message, log, nowMs });
      const outcome = await service.store.recordAttestation(record, withKept(grants.effects, kept));
      if (outcome === 'nonce_used')
        throw new ServerError('challenge_used', 'the challenge was answered before; ask for a new one');
      if (outcome === 'recorded') {
        attestations.labels(verdict.status).inc();
        if (grants.effects.audit.length > 0) service.auditLog.kick();
        const known = remember(service, device, { record, verdict, grants: grants.state });
        const ear = await signEar(verdict.ear, service.keys.results);
        return { ...answer(service, known, snapshot, detail, nowMs), ear, ...granted(grants) };
      }
      if (outcome === 'references_changed') snapshot = await service.references.refresh();
      service.devices.forget(deviceId);
    }
    throw new ServerError('conflict', 'the device was changed by others again and again; try again');
  } catch (error) {
    if (error instanceof ServerError) refusals.labels(error.code).inc();
    throw error;
  }
}

async function findDevice(service: Service, deviceId: string, { trust }: Snapshot): Promise<KnownDevice> {
  let device = await service.devices.find(deviceId, trust);
  // Another instance may have enrolled or released it since: what is refused is looked at again.
  if (device !== undefined && device.row.life !== 'enrolled') {
    service.devices.forget(deviceId);
    device = await service.devices.find(deviceId, trust);
  }
  if (device === undefined || device.row.life === 'reset') {
    throw new ServerError('device_not_enrolled', 'no such device is enrolled here; enrol it');
  }
  if (device.row.life === 'quarantined') {
    throw new ServerError(
      'device_quarantined',
      'an operator has quarantined this device; approve it to let it in again',
    );
  }
  return device;
}

function checkNonce(service: Service, { row }: KnownDevice, nonce: Uint8Array, nowMs: number): IssuedNonce {
  const issued = openNonce(service.nonceKey, { deviceId: row.id, akName: row.ak_name }, nonce);
  if (issued.issuedAtMs > nowMs + SKEW_MS) {
    throw new ServerError('challenge_invalid', 'the challenge is of a time that has not come; are the clocks right?');
  }
  if (nowMs >= issued.issuedAtMs + service.config.attestation.challengeMs) {
    throw new ServerError('challenge_expired', 'the challenge has expired; ask for a new one');
  }
  return issued;
}

interface Case {
  readonly relyingPartyNonce: string | undefined;
  readonly device: KnownDevice;
  readonly snapshot: Snapshot;
  readonly evidence: AppraisedEvidence;
  readonly nonce: Uint8Array;
  readonly issued: IssuedNonce;
  readonly nowMs: number;
}

/** Of a quote that holds: there is a state to go on from. */
type AuthenticVerdict = Verdict & { readonly state: BootState };

/** @returns with the boot log, where the machine has sent it. */
async function judge(service: Service, one: Case): Promise<{ verdict: AuthenticVerdict; log: Uint8Array | undefined }> {
  const { device, evidence, issued, nowMs } = one;
  let verdict = appraiseCase(service, one);
  if (verdict.isAuthentic && verdict.needsFirmwareLog && evidence.logs.firmware.bytes === undefined) {
    const held = await service.store.read.details.bootLog(evidence.logs.firmware.sha256);
    if (held === undefined) {
      throw new ServerError('log_wanted', 'the boot log is not known here: send it whole with a new quote');
    }
    verdict = appraiseCase(service, { ...one, evidence: withFirmwareLog(evidence, held) });
  }
  if (!verdict.isAuthentic || verdict.state === undefined) {
    // Anybody may have sent it: it changes nothing of the device, and does not prolong its trust either.
    const findings = verdict.findings.filter(({ code }) => code !== 'policy_denied').slice(0, MAX_FINDINGS);
    throw new ServerError(
      'evidence_not_authentic',
      `the quote does not hold: ${findings.map(({ code }) => code).join(', ')}`,
      {
        members: { findings: findings.map(wireFinding) },
      },
    );
  }
  if (needsFreshChallenge(nowMs - issued.issuedAtMs, device.state, verdict.state, service.config.attestation)) {
    const message =
      'the TPM did not run as long as the challenge was held, so the quote may be old: quote over a new challenge';
    throw new ServerError('challenge_fresh_needed', message);
  }
  return { verdict: { ...verdict, state: verdict.state }, log: evidence.logs.firmware.bytes };
}

function appraiseCase(service: Service, one: Case): Verdict {
  const { device, snapshot, evidence, nonce, issued, nowMs } = one;
  return appraise({
    evidence,
    expected: { key: device.key, selection: selectionFor(issued), nonce },
    previous: device.state,
    identity: device.identity,
    machine: device.row.id,
    ...(device.pinnedSystem === undefined ? {} : { pinnedSystem: device.pinnedSystem }),
    references: snapshot.references,
    policy: snapshot.policy,
    nowMs,
    decisions: service.decisions,
    ear: {
      lifetimeMs: service.config.attestation.trustMs,
      ...(one.relyingPartyNonce === undefined ? {} : { nonce: one.relyingPartyNonce }),
    },
  });
}

interface Judged {
  readonly device: KnownDevice;
  readonly snapshot: Snapshot;
  readonly verdict: AuthenticVerdict;
  readonly detail: VerdictDetail;
  readonly nonce: Uint8Array;
  readonly issued: IssuedNonce;
  readonly nowMs: number;
  readonly log: Uint8Array | undefined;
}

function recordOf(service: Service, one: Judged): AttestationRecord {
  const { device, snapshot, verdict, detail, nonce, issued, nowMs, log } = one;
  const { challengeMs, trustMs } = service.config.attestation;
  const { row } = device;
  const bootLogSha256 = log === undefined ? verdict.state.firmwareSha256 : sha256Of(log);
  const { state, settled, settledSha256 } = storedState(verdict.state, device);
  const stored = {
    status: verdict.status,
    isTrusted: verdict.isTrusted,
    detail: storedDetail(detail),
    imageName: verdict.image?.name ?? null,
    imageVersion: verdict.image?.version ?? null,
    bootLogSha256: verdict.facts.log.isGood ? bootLogSha256 : null,
  };
  return {
    deviceId: row.id,
    revision: row.revision,
    generation: snapshot.generation,
    nonce: toHex(nonce),
    // Longer than it could be shown again, whichever instance's clock is right.
    nonceExpiresAtMs: issued.issuedAtMs + challengeMs + 2 * SKEW_MS,
    // Verdicts of one device are told apart by their times.
    atMs: Math.max(nowMs, (row.attested_at_ms ?? 0) + 1),
    trustedUntilMs: nowMs + trustMs,
    ...stored,
    state,
    settled,
    settledSha256,
    isSame: isSameAs(row, stored),
  };
}

type StoredVerdict = Pick<
  AttestationRecord,
  'status' | 'isTrusted' | 'detail' | 'imageName' | 'imageVersion' | 'bootLogSha256'
>;

/** Whether the device's row says so already: it is that of the revision which the record rests on. */
const isSameAs = (row: DeviceRow, stored: StoredVerdict): boolean =>
  row.is_stale === 0 &&
  row.verdict_status === stored.status &&
  row.is_trusted === (stored.isTrusted ? 1 : 0) &&
  row.verdict_sha256 === stored.detail.sha256 &&
  row.image_name === stored.imageName &&
  row.image_version === stored.imageVersion &&
  row.boot_log_sha256 === stored.bootLogSha256;

/** What the machine asks for beside the verdict. */
function grantRequest(
  { row, key, grants }: KnownDevice,
  verdict: Verdict,
  { nonce, keys = {}, secrets }: Evidence,
  { issuedAtMs }: IssuedNonce,
  nowMs: number,
): GrantRequest {
  const { client, decryption } = keys;
  return {
    deviceId: row.id,
    verdict,
    before: row.verdict_status === null ? undefined : { status: row.verdict_status, isTrusted: row.is_trusted === 1 },
    nowMs,
    held: grants,
    attestationKey: key,
    nonce: parseBase64url(nonce),
    challengeIssuedAtMs: issuedAtMs,
    keys: {
      ...(client === undefined ? {} : { client: keyEvidence(client) }),
      ...(decryption === undefined ? {} : { decryption: keyEvidence(decryption) }),
    },
    ...(secrets === undefined ? {} : { secrets }),
  };
}

const keyEvidence = ({ publicArea, attest: signed, signature }: KeyCertification): KeyEvidence => ({
  publicArea: parseBase64url(publicArea),
  attest: parseBase64url(signed),
  signature: parseBase64url(signature),
});

/** As the message has it. */
const granted = ({ certificate, secrets }: PreparedGrants): Pick<AttestationResult, 'certificate' | 'secrets'> => ({
  ...(certificate === undefined ? {} : { certificate }),
  ...(secrets === undefined ? {} : { secrets: [...secrets] }),
});

interface Kept {
  readonly device: KnownDevice;
  readonly verdict: Verdict;
  readonly message: Evidence;
  readonly log: Uint8Array | undefined;
  readonly nowMs: number;
}

/** What is written beside the verdict, seldom: a new boot's log, and its evidence to look at and learn from. */
async function alongside(kept: Kept): Promise<((tx: Rows) => Promise<void>) | undefined> {
  const { device, verdict, message, log, nowMs } = kept;
  const isNew = log !== undefined || verdict.events.length > 0;
  if (!isNew && verdict.status !== 'contraindicated') return undefined;
  const { keys: _, secrets: __, ...body } = message;
  const text = JSON.stringify(body);
  return async (tx) => {
    if (log !== undefined && verdict.facts.log.isGood) await keepBootLog(tx, device, log, nowMs);
    if (text.length > MAX_KEPT_CHARS || !isNew) return;
    await tx.details.putEvidence({ device_id: device.row.id, at_ms: nowMs, body: text });
  };
}

function withKept(effects: AttestationEffects, kept: ((tx: Rows) => Promise<void>) | undefined): AttestationEffects {
  if (kept === undefined) return effects;
  const also = async (tx: Rows): Promise<void> => {
    await kept(tx);
    await effects.also?.(tx);
  };
  return { ...effects, also };
}

/** One log of each device: one that has another each time does not fill the database. */
async function keepBootLog(tx: Rows, { row }: KnownDevice, log: Uint8Array, nowMs: number): Promise<void> {
  const sha256 = sha256Of(log);
  await tx.details.putBootLog(sha256, log, nowMs);
  const before = row.boot_log_sha256;
  if (before !== null && before !== sha256) await tx.details.dropBootLog(before);
}

interface Recorded {
  readonly record: AttestationRecord;
  readonly verdict: AuthenticVerdict;
  readonly grants: GrantState;
}

/** The device as it is now in the database, for its next attestation. */
function remember(service: Service, device: KnownDevice, { record, verdict, grants }: Recorded): KnownDevice {
  const row = {
    ...device.row,
    revision: record.revision + 1,
    verdict_status: record.status,
    is_trusted: record.isTrusted ? 1 : 0,
    attested_at_ms: record.atMs,
    trusted_until_ms: record.trustedUntilMs,
    is_stale: 0,
    verdict_sha256: record.detail.sha256,
    image_name: record.imageName,
    image_version: record.imageVersion,
    boot_log_sha256: record.bootLogSha256,
    // It is in `state`.
    state: null,
  };
  const known = { ...device, row, state: verdict.state, settledSha256: record.settledSha256, grants };
  return service.devices.put(row.id, known);
}

function answer(
  service: Service,
  device: KnownDevice,
  snapshot: Snapshot,
  detail: VerdictDetail,
  nowMs: number,
): Omit<AttestationResult, 'ear'> {
  return {
    verdict: { ...detail, atMs: device.row.attested_at_ms ?? nowMs },
    nextAtMs: nowMs + service.config.attestation.intervalMs,
    challenge: buildChallenge(service, device, snapshot, nowMs),
  };
}
