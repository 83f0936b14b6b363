// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, deviceId, sha256Hex, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
import { verdictSummary } from '../result/verdict-summary.ts';
import { foreignText, page, recordId } from './fields.ts';

/**
 * 'trusted': its last verdict granted trust and has not run out. 'untrusted': it was refused. 'stale': it has not called in
 * time. 'unknown': it has not attested yet. 'quarantined': an operator shut it out. 'reset': it must enrol anew.
 */
export const deviceState = Type.Enum(['trusted', 'untrusted', 'stale', 'unknown', 'quarantined', 'reset']);
export type DeviceState = Static<typeof deviceState>;

const summary = {
  id: deviceId,
  state: deviceState,
  enrolledAtMs: timeMs,
  attestedAtMs: Type.Optional(timeMs),
  trustedUntilMs: Type.Optional(timeMs),
  image: Type.Optional(Type.Object({ name: foreignText, version: foreignText }, strict)),
};

/** A line of `GET /v1/devices`. */
export const deviceSummary = Type.Object(summary, strict);
export type DeviceSummary = Static<typeof deviceSummary>;

export const deviceList = page(deviceSummary);
export type DeviceList = Static<typeof deviceList>;

/** `GET /v1/devices/{id}`. */
export const deviceDetail = Type.Object(
  {
    ...summary,
    joinedBy: Type.Enum(['token', 'inventory', 'approval']),
    /** Of the endorsement key's SubjectPublicKeyInfo. */
    ekSha256: sha256Hex,
    /** Name of the attestation key: algorithm and digest, hexadecimal. */
    akName: Type.String({ pattern: '^[0-9a-f]{8,132}$' }),
    tpm: Type.Object(
      {
        manufacturer: Type.Optional(foreignText),
        model: Type.Optional(foreignText),
        version: Type.Optional(foreignText),
      },
      strict,
    ),
    verdict: Type.Optional(verdictSummary),
    /** Of the boot log; its octets are at `GET /v1/devices/{id}/boot-log`. */
    bootLogSha256: Type.Optional(sha256Hex),
  },
  strict,
);
export type DeviceDetail = Static<typeof deviceDetail>;

/** `GET /v1/devices/{id}/verdicts`, the newest first. */
export const deviceVerdicts = page(verdictSummary);
export type DeviceVerdicts = Static<typeof deviceVerdicts>;

/** `GET /v1/devices/{id}/boot-log`. */
export const bootLog = Type.Object({ sha256: sha256Hex, bytes: base64url(WIRE_LIMITS.firmwareLogBytes) }, strict);
export type BootLog = Static<typeof bootLog>;

/** `GET /v1/enrolments`: machines that proved who they are and wait for an operator. */
export const awaitingEnrolment = Type.Object(
  {
    enrolmentId: recordId,
    deviceId,
    ekSha256: sha256Hex,
    tpm: Type.Object(
      {
        manufacturer: Type.Optional(foreignText),
        model: Type.Optional(foreignText),
        version: Type.Optional(foreignText),
      },
      strict,
    ),
    expiresAtMs: timeMs,
  },
  strict,
);
export const awaitingEnrolments = page(awaitingEnrolment);
export type AwaitingEnrolments = Static<typeof awaitingEnrolments>;
