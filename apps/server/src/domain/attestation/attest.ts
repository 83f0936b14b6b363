// SPDX-License-Identifier: Apache-2.0
import type { Evidence as AppraisedEvidence } from '@vouchsafe/appraise';
import { type AttestationResult, type Challenge, type Evidence, parseBase64url } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import { attestations, refusals } from '../../main/metrics.ts';
import { grantingOf, type PreparedGrants, prepareGrants } from '../grants.ts';
import type { Snapshot } from '../references/snapshot.ts';
import { signEar } from '../results/ear-token.ts';
import type { Service } from '../service.ts';
import { recordOf, remember } from './attestation-record.ts';
import { buildChallenge } from './challenge.ts';
import type { KnownDevice } from './device-cache.ts';
import { grantRequest } from './grant-request.ts';
import { judge } from './judge.ts';
import { alongside, withKept } from './kept-evidence.ts';
import { type IssuedNonce, openNonce, SKEW_MS } from './nonce.ts';
import { openEvidence } from './open-evidence.ts';
import { detailOf, type VerdictDetail } from './wire-verdict.ts';

/** Others change devices and references meanwhile; so often in a row nobody does. */
const MAX_TRIES = 5;

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
      const kept = alongside({ device, verdict, message, log, nowMs });
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

/** As the message has it. */
const granted = ({ certificate, secrets }: PreparedGrants): Pick<AttestationResult, 'certificate' | 'secrets'> => ({
  ...(certificate === undefined ? {} : { certificate }),
  ...(secrets === undefined ? {} : { secrets: [...secrets] }),
});

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
