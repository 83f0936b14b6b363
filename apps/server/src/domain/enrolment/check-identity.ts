// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import {
  checkEndorsementKey,
  checkPlatformCertificate,
  decodePlatformCertificate,
  type VerifiedEndorsementKey,
  type VerifiedPlatform,
} from '@vouchsafe/identity';
import { type Certificate, decodeCertificate, PkiError } from '@vouchsafe/pki';
import type { TpmtPublic } from '@vouchsafe/tpm';
import type { Trust } from '../references/snapshot.ts';

/** What a machine brings along to say what it is. Nothing of it is trusted. */
export interface IdentityEvidence {
  readonly ek: TpmtPublic;
  /** DER: the endorsement key's own first. */
  readonly certificates: readonly Uint8Array[];
  /** DER. */
  readonly platformCertificates: readonly Uint8Array[];
}

export interface CheckedIdentity {
  readonly endorsementKey: VerifiedEndorsementKey | undefined;
  readonly platform: VerifiedPlatform | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Endorsement key and platform against the trust store. Certificates of the chain that cannot be read are passed over, as
 * some makers put what they like into NV; the key's own must be readable.
 * @throws {PkiError} for the first certificate.
 */
export function checkIdentity(
  { ek, certificates, platformCertificates }: IdentityEvidence,
  trust: Trust,
  { nowMs, acceptExpired }: { readonly nowMs: number; readonly acceptExpired: boolean },
): CheckedIdentity {
  const [own, ...rest] = certificates;
  const certificate = decodeCertificate(own ?? new Uint8Array());
  const chain = rest.flatMap(readable);
  const result = checkEndorsementKey(
    { publicArea: ek, certificate, chain },
    { store: trust.tpmMakers, nowMs, acceptExpired },
  );
  const findings: Finding[] = [...result.findings];
  const { endorsementKey } = result;
  if (endorsementKey === undefined) return { endorsementKey, platform: undefined, findings };
  const platforms = platformCertificates.flatMap((der): VerifiedPlatform[] => {
    try {
      const options = { store: trust.platformMakers, nowMs, chain };
      const checked = checkPlatformCertificate(decodePlatformCertificate(der), endorsementKey, options);
      findings.push(...checked.findings.map((finding) => ({ ...finding, severity: 'warning' as const })));
      return checked.platform === undefined ? [] : [checked.platform];
    } catch (error) {
      if (!(error instanceof PkiError)) throw error;
      findings.push({
        code: 'platform_unreadable',
        severity: 'warning',
        where: { artefact: 'platform certificate' },
        actual: error.message,
        hint: 'It was passed over',
      });
      return [];
    }
  });
  return { endorsementKey, platform: platforms[0], findings };
}

function readable(der: Uint8Array): Certificate[] {
  try {
    return [decodeCertificate(der)];
  } catch (error) {
    if (error instanceof PkiError) return [];
    throw error;
  }
}
