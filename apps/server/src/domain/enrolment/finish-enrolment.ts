// SPDX-License-Identifier: Apache-2.0
import { type EnrolmentRequest, type EnrolmentResult, parseBase64url } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { EnrolmentRow } from '../../store/rows/enrolments.ts';
import type { Rows } from '../../store/rows.ts';
import { buildChallenge } from '../attestation/challenge.ts';
import { attestationCertificatesOf } from '../certificates/attestation-certificate.ts';
import { sha256Of } from '../random.ts';
import { act, type Service } from '../service.ts';

/** How long a machine may wait for an operator. */
const APPROVAL_MS = 7 * 86_400_000;
const ASK_AGAIN_MS = 30_000;

/**
 * The second half: the secret shows that endorsement key and attestation key are in one TPM. From then on device id and the two
 * keys belong together for good. May be repeated, with the same outcome.
 * @throws {ServerError} 'not_found', 'enrolment_expired', 'proof_wrong', 'joining_refused', 'identity_taken'
 */
export async function finishEnrolment(service: Service, id: string, secret: string): Promise<EnrolmentResult> {
  const nowMs = service.clock();
  const { store } = service;
  const row = await store.read.enrolments.find(id);
  if (row === undefined) throw new ServerError('not_found', 'there is no such enrolment; begin anew');
  if (row.expires_at_ms <= nowMs) throw new ServerError('enrolment_expired', 'the enrolment has expired; begin anew');
  // Digests are compared, so that time tells nothing of the secret.
  if (sha256Of(parseBase64url(secret)) !== row.secret_sha256) {
    // One guess: who has the TPM does not need two.
    await store.write((tx) => tx.enrolments.move(id, 'challenged', { state: 'refused' }));
    throw new ServerError('proof_wrong', 'expected the secret that TPM2_ActivateCredential gives; begin anew');
  }
  const state = await proceed(service, row, nowMs);
  if (state === 'refused') throw new ServerError('proof_wrong', 'a wrong proof was given before; begin anew');
  if (state === 'proved') return { state: 'awaiting-approval', askAgainAfterMs: ASK_AGAIN_MS };
  service.devices.forget(row.device_id);
  const snapshot = await service.references.current();
  const device = await service.devices.find(row.device_id, snapshot.trust);
  // A proof may be repeated, and the device be another's business since: quarantined, reset, with another key.
  if (device?.row.life === 'quarantined') {
    throw new ServerError('device_quarantined', 'an operator has quarantined this device; it is not let in again');
  }
  if (device?.row.life !== 'enrolled' || device.row.ak_name !== row.ak_name) {
    throw new ServerError('conflict', 'the device was removed or reset meanwhile; begin anew');
  }
  return {
    state: 'enrolled',
    deviceId: row.device_id,
    attestationCertificates: await attestationCertificatesOf(service, row.device_id, nowMs),
    challenge: buildChallenge(service, device, snapshot, nowMs),
  };
}

async function proceed(service: Service, row: EnrolmentRow, nowMs: number): Promise<EnrolmentRow['state']> {
  if (row.state === 'refused' || row.state === 'enrolled' || row.state === 'proved') return row.state;
  if (row.state === 'challenged' && row.joined_by === 'approval') {
    await service.store.write(async (tx) => {
      // Operators approve by the id that they saw: one TPM waits under it, and who comes later does not take its place.
      await tx.enrolments.hold(row.device_id);
      const waiting = await tx.enrolments.awaitingOf(row.device_id, nowMs);
      if (waiting.some((one) => one.ek_sha256 !== row.ek_sha256)) throw waitedFor(service, row.device_id);
      await tx.enrolments.move(row.id, 'challenged', { state: 'proved', expires_at_ms: nowMs + APPROVAL_MS });
      await tx.enrolments.removeOtherWaiting(row);
    });
    service.log.info({ deviceId: row.device_id }, 'a machine waits for approval');
    return 'proved';
  }
  const actor = { kind: 'device', name: row.device_id } as const;
  const detail = { ekSha256: row.ek_sha256, akName: row.ak_name, joinedBy: row.joined_by };
  return act(service, { kind: 'device.enrol', actor, subject: row.device_id, detail }, (tx) => admit(tx, row, nowMs));
}

/** All of it in one transaction: of two machines with one token, one id, or one EK, one comes in. */
async function admit(tx: Rows, row: EnrolmentRow, nowMs: number): Promise<EnrolmentRow['state']> {
  const isMine = await tx.enrolments.move(row.id, row.state, { state: 'enrolled' });
  if (!isMine) return (await tx.enrolments.find(row.id))?.state ?? 'refused';
  if (row.joined_by === 'again') return 'enrolled';
  if (row.token_id !== null && !(await tx.joinTokens.use(row.token_id, row.device_id, nowMs))) {
    throw new ServerError('joining_refused', 'the token was used or has expired meanwhile; ask for a new one');
  }
  const { endorsement, platformCertificates, attestationKey } = JSON.parse(row.request) as EnrolmentRequest;
  const keys = {
    ak_name: row.ak_name,
    ak_public: parseBase64url(attestationKey),
    enrolled_at_ms: nowMs,
    life: 'enrolled' as const,
    verdict_status: null,
    is_trusted: 0,
    attested_at_ms: null,
    trusted_until_ms: null,
    is_stale: 0,
    verdict_sha256: null,
    image_name: null,
    image_version: null,
    boot_log_sha256: null,
    state: null,
    pinned_system: null,
  };
  if (row.joined_by === 'reset') {
    const device = await tx.devices.find(row.device_id);
    if (device?.life !== 'reset' || device.ek_sha256 !== row.ek_sha256) throw taken();
    if (!(await tx.devices.update(device.id, device.revision, keys))) throw taken();
  } else {
    const others = [await tx.devices.find(row.device_id), await tx.devices.findByEk(row.ek_sha256)];
    if (others.some((other) => other !== undefined)) throw taken();
    // Another instance may be letting somebody else in at this moment.
    const { device_id: id, ek_sha256, joined_by } = row;
    if (!(await tx.devices.insert({ id, revision: 1, ek_sha256, joined_by, ...keys }))) throw taken();
  }
  await tx.details.putIdentity({
    device_id: row.device_id,
    ek_public: parseBase64url(endorsement.publicArea),
    facts: row.ek_facts,
    ek_certificates: JSON.stringify(endorsement.certificates),
    platform_certificates: JSON.stringify(platformCertificates),
  });
  return 'enrolled';
}

function waitedFor({ log }: Service, deviceId: string): ServerError {
  log.warn({ alert: 'identity_taken', deviceId }, 'another TPM asked for an id that a machine waits for');
  return new ServerError(
    'identity_taken',
    'another machine waits for approval under that device id; propose another, or have an operator remove it',
  );
}

const taken = (): ServerError =>
  new ServerError('identity_taken', 'the device id or the TPM was enrolled by another meanwhile');
