// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type Certificate, fingerprintOf, importKey, isCertificateSignedBy, PkiError } from '@vouchsafe/pki';

/** Whom an operator trusts to say which TPMs, or which platforms, are genuine. */
export interface TrustStore {
  /** Trusted to issue. */
  readonly anchors: readonly Certificate[];
  /** Known, so that machines need not bring them; trusted only below an anchor. */
  readonly intermediates: readonly Certificate[];
}

/** Certificates in a store; all TPM makers together have some hundreds. */
const MAX_CERTIFICATES = 10_000;

/**
 * A store from what an operator gave: certificates that signed themselves become anchors, the others intermediates. One
 * that is there twice counts once.
 * @param alsoAnchors further anchors that did not sign themselves, such as a maker's authority whose root is not published.
 * @throws {RangeError} beyond 10,000 certificates.
 */
export function buildTrustStore(
  certificates: readonly Certificate[],
  alsoAnchors: readonly Certificate[] = [],
): TrustStore {
  if (certificates.length + alsoAnchors.length > MAX_CERTIFICATES) {
    throw new RangeError(`expected at most ${MAX_CERTIFICATES} certificates in a trust store`);
  }
  const anchors = new Map<string, Certificate>();
  const intermediates = new Map<string, Certificate>();
  for (const certificate of alsoAnchors) anchors.set(toHex(fingerprintOf(certificate)), certificate);
  for (const certificate of certificates) {
    const name = toHex(fingerprintOf(certificate));
    if (anchors.has(name)) continue;
    (isSelfSigned(certificate) ? anchors : intermediates).set(name, certificate);
  }
  return { anchors: [...anchors.values()], intermediates: [...intermediates.values()] };
}

/** Both by name and by key: a certificate that only claims to be its own issuer is no root. */
function isSelfSigned(certificate: Certificate): boolean {
  if (!bytesEqual(certificate.subject.bytes, certificate.issuer.bytes)) return false;
  try {
    return isCertificateSignedBy(certificate, importKey(certificate.publicKey.bytes));
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}
