// SPDX-License-Identifier: Apache-2.0
import type { IdentityFacts } from '@vouchsafe/appraise';
import { decode } from '@vouchsafe/codec';
import { parseBase64url } from '@vouchsafe/protocol';
import { tpmtPublic } from '@vouchsafe/tpm';
import type { DeviceRow } from '../../store/rows/devices.ts';
import type { Tables } from '../../store/tables.ts';
import { checkIdentity } from '../enrolment/check-identity.ts';
import type { Trust } from '../references/snapshot.ts';

/**
 * What is known of who a machine is, by the trust store of now: a maker that is no longer trusted vouches for nothing. Times are
 * judged as when it enrolled, since hardware outlives its certificates.
 */
export function identityFactsOf(row: DeviceRow, details: Tables['device_identities'], trust: Trust): IdentityFacts {
  const { endorsementKey, platform } = checkIdentity(
    {
      ek: decode(tpmtPublic, details.ek_public),
      certificates: (JSON.parse(details.ek_certificates) as string[]).map(parseBase64url),
      platformCertificates: (JSON.parse(details.platform_certificates) as string[]).map(parseBase64url),
    },
    trust,
    { nowMs: row.enrolled_at_ms, acceptExpired: true },
  );
  const { tpm } = endorsementKey ?? {};
  const certificate = platform?.certificate;
  return {
    isEkTrusted: endorsementKey !== undefined,
    isPlatformTrusted: platform !== undefined,
    joinedBy: joinedBy(row.joined_by),
    tpmManufacturer: tpm?.manufacturer?.vendorId ?? '',
    tpmModel: tpm?.model ?? '',
    platformManufacturer: certificate?.manufacturer ?? '',
    platformModel: certificate?.model ?? '',
    labels: [],
  };
}

const joinedBy = (text: string): IdentityFacts['joinedBy'] =>
  text === 'token' || text === 'inventory' || text === 'approval' ? text : 'unknown';
