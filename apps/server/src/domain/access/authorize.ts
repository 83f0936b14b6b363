// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type Certificate, fingerprintOf } from '@vouchsafe/pki';
import type { Store } from '../../store/open-store.ts';
import type { PresentedCertificate } from '../../store/rows/certificates.ts';
import { spiffeIdOf } from '../certificates/spiffe-id.ts';

/** Why a caller gets nothing; for the proxy's log. */
export type AccessRefusal =
  | 'no_certificate' // none, or what is no certificate
  | 'certificate_unknown' // one that this service has not issued to a device
  | 'certificate_expired'
  | 'certificate_revoked'
  | 'device_quarantined' // or reset
  | 'device_untrusted' // the last verdict refused it
  | 'device_stale'; // the last verdict has run out

export type AccessDecision =
  | {
      readonly isAllowed: true;
      readonly deviceId: string;
      readonly spiffeId: string;
      readonly verdict: string;
      readonly image: string | undefined;
      readonly trustedUntilMs: number;
    }
  /** 401: it is nobody known. 403: it is known, and not trusted now. */
  | {
      readonly isAllowed: false;
      readonly status: 401 | 403;
      readonly reason: AccessRefusal;
      readonly deviceId?: string;
    };

/**
 * Whether the holder of a certificate may pass now. The certificate must be one that this service issued, octet for octet;
 * that the caller has its key is what the proxy's handshake has shown. What counts is the device as it stands at this moment,
 * and not only what a revocation list said when the proxy read it.
 */
export async function authorize(
  store: Store,
  trustDomain: string,
  certificate: Certificate | undefined,
  nowMs: number,
): Promise<AccessDecision> {
  if (certificate === undefined) return { isAllowed: false, status: 401, reason: 'no_certificate' };
  const found = await store.read.certificates.presented(toHex(fingerprintOf(certificate)));
  if (found === undefined) return { isAllowed: false, status: 401, reason: 'certificate_unknown' };
  const deviceId = found.device_id;
  const reason = refusalOf(found, certificate, nowMs);
  if (reason !== undefined) return { isAllowed: false, status: 403, reason, deviceId };
  return {
    isAllowed: true,
    deviceId,
    spiffeId: spiffeIdOf(trustDomain, deviceId),
    verdict: found.verdict_status ?? 'none',
    image: found.image_name === null ? undefined : `${found.image_name} ${found.image_version ?? ''}`.trim(),
    trustedUntilMs: found.trusted_until_ms ?? 0,
  };
}

function refusalOf(found: PresentedCertificate, { validity }: Certificate, nowMs: number): AccessRefusal | undefined {
  if (found.life !== 'enrolled') return 'device_quarantined';
  if (found.is_trusted !== 1) return 'device_untrusted';
  if ((found.trusted_until_ms ?? 0) <= nowMs) return 'device_stale';
  if (found.revoked_at_ms !== null) return 'certificate_revoked';
  return nowMs > validity.notAfterMs || nowMs < validity.notBeforeMs ? 'certificate_expired' : undefined;
}
