// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { sha256Hex, strict, timeMs } from '../fields.ts';
import { page } from './fields.ts';

/** A line of `GET /v1/devices/{id}/certificates`. */
export const certificateRecord = Type.Object(
  {
    /** Hexadecimal. */
    serialNumber: Type.String({ pattern: '^[0-9a-f]{1,40}$' }),
    /** By whom: the authority of clients, or that of attestation keys. */
    authority: Type.Enum(['client', 'attestation']),
    /** Of the DER. */
    sha256: sha256Hex,
    issuedAtMs: timeMs,
    notAfterMs: timeMs,
    revokedAtMs: Type.Optional(timeMs),
  },
  strict,
);
export type CertificateRecord = Static<typeof certificateRecord>;
export const certificateRecords = page(certificateRecord);
export type CertificateRecords = Static<typeof certificateRecords>;

/** `POST /v1/devices/{id}/certificates/revoke`: how many were valid. */
export const revokedCertificates = Type.Object({ revoked: Type.Integer({ minimum: 0, maximum: 1_000_000 }) }, strict);
export type RevokedCertificates = Static<typeof revokedCertificates>;
