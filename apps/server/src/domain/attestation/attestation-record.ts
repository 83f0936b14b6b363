// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { AttestationRecord } from '../../store/rows/attestations.ts';
import type { GrantState } from '../../store/rows/device-keys.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import { sha256Of } from '../random.ts';
import type { Snapshot } from '../references/snapshot.ts';
import type { Service } from '../service.ts';
import type { KnownDevice } from './device-cache.ts';
import type { AuthenticVerdict } from './judge.ts';
import { type IssuedNonce, SKEW_MS } from './nonce.ts';
import { storedState } from './stored-state.ts';
import { storedDetail, type VerdictDetail } from './wire-verdict.ts';

/** A verdict, and what it was made of. */
export interface Judged {
  readonly device: KnownDevice;
  readonly snapshot: Snapshot;
  readonly verdict: AuthenticVerdict;
  readonly detail: VerdictDetail;
  readonly nonce: Uint8Array;
  readonly issued: IssuedNonce;
  readonly nowMs: number;
  readonly log: Uint8Array | undefined;
}

/** All that is written of it, and upon what it rests: the device's revision, the generation of the references. */
export function recordOf(service: Service, one: Judged): AttestationRecord {
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

interface Recorded {
  readonly record: AttestationRecord;
  readonly verdict: AuthenticVerdict;
  readonly grants: GrantState;
}

/** The device as it is now in the database, for its next attestation. */
export function remember(service: Service, device: KnownDevice, { record, verdict, grants }: Recorded): KnownDevice {
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
