// SPDX-License-Identifier: Apache-2.0
import {
  type AwaitingEnrolments,
  type BootLog,
  type DeviceDetail,
  type DeviceList,
  type DeviceSummary,
  type DeviceVerdicts,
  encodeBase64url,
} from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import { summaryOf } from '../attestation/wire-verdict.ts';
import type { Service } from '../service.ts';
import { deviceStateOf } from './device-state.ts';

const VERDICT_PAGE = 50;

export interface DeviceListing {
  readonly after?: string | undefined;
  readonly limit: number;
  readonly life?: DeviceRow['life'] | undefined;
  readonly status?: NonNullable<DeviceRow['verdict_status']> | undefined;
}

export async function listDevices({ store, clock }: Service, listing: DeviceListing): Promise<DeviceList> {
  const rows = await store.read.devices.list(listing);
  const next = rows.length === listing.limit ? rows.at(-1)?.id : undefined;
  const nowMs = clock();
  return { items: rows.map((row) => summarize(row, nowMs)), ...(next === undefined ? {} : { next }) };
}

/** @throws {ServerError} 'not_found' */
export async function showDevice({ store, clock }: Service, id: string): Promise<DeviceDetail> {
  const row = await requireDevice(store.read.devices.find(id));
  const details = await store.read.details.identity(id);
  const facts = JSON.parse(details?.facts ?? '{}') as { tpm?: DeviceDetail['tpm'] };
  const body = row.verdict_sha256 === null ? undefined : await store.read.verdicts.detail(row.verdict_sha256);
  return {
    ...summarize(row, clock()),
    joinedBy: row.joined_by as DeviceDetail['joinedBy'],
    ekSha256: row.ek_sha256,
    akName: row.ak_name,
    tpm: facts.tpm ?? {},
    ...(body === undefined ? {} : { verdict: summaryOf(body, row.attested_at_ms ?? 0) }),
    ...(row.boot_log_sha256 === null ? {} : { bootLogSha256: row.boot_log_sha256 }),
  };
}

/** @throws {ServerError} 'not_found' */
export async function showVerdicts({ store }: Service, id: string, beforeMs: number): Promise<DeviceVerdicts> {
  await requireDevice(store.read.devices.find(id));
  const rows = await store.read.verdicts.list(id, beforeMs, VERDICT_PAGE);
  const next = rows.length === VERDICT_PAGE ? rows.at(-1)?.at_ms : undefined;
  return {
    items: rows.map(({ body, at_ms }) => summaryOf(body, at_ms)),
    ...(next === undefined ? {} : { next: String(next) }),
  };
}

/** @throws {ServerError} 'not_found' */
export async function showBootLog({ store }: Service, id: string): Promise<BootLog> {
  const { boot_log_sha256: sha256 } = await requireDevice(store.read.devices.find(id));
  const bytes = sha256 === null ? undefined : await store.read.details.bootLog(sha256);
  if (sha256 === null || bytes === undefined) throw new ServerError('not_found', 'no boot log of it was good');
  return { sha256, bytes: encodeBase64url(bytes) };
}

/** Machines that wait for an operator. */
export async function listAwaiting({ store, clock }: Service): Promise<AwaitingEnrolments> {
  const rows = await store.read.enrolments.awaiting(clock());
  return {
    items: rows.map((row) => ({
      enrolmentId: row.id,
      deviceId: row.device_id,
      ekSha256: row.ek_sha256,
      tpm: (JSON.parse(row.ek_facts) as { tpm: DeviceDetail['tpm'] }).tpm,
      expiresAtMs: row.expires_at_ms,
    })),
  };
}

export async function requireDevice(found: Promise<DeviceRow | undefined>): Promise<DeviceRow> {
  const row = await found;
  if (row === undefined) throw new ServerError('not_found', 'there is no such device');
  return row;
}

function summarize(row: DeviceRow, nowMs: number): DeviceSummary {
  return {
    id: row.id,
    state: deviceStateOf(row, nowMs),
    enrolledAtMs: row.enrolled_at_ms,
    ...(row.attested_at_ms === null ? {} : { attestedAtMs: row.attested_at_ms }),
    ...(row.trusted_until_ms === null ? {} : { trustedUntilMs: row.trusted_until_ms }),
    ...(row.image_name === null ? {} : { image: { name: row.image_name, version: row.image_version ?? '' } }),
  };
}
