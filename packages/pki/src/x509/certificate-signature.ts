// SPDX-License-Identifier: Apache-2.0
import type { PublicKey } from '@vouchsafe/crypto';
import { isSignatureBy } from '../public-key.ts';
import { schemeOf } from '../signature-algorithm.ts';
import type { Certificate } from './certificate.ts';

/**
 * Whether the key signed the certificate (RFC 5280, 6.1.3 (a) (1)), and nothing else: not whether the issuer may, is
 * trusted, or the names and times fit.
 * @throws {PkiError} 'unsupported' for an algorithm that is not known here.
 */
export function isCertificateSignedBy(certificate: Certificate, issuerKey: PublicKey): boolean {
  const scheme = schemeOf(certificate.signatureAlgorithm);
  return isSignatureBy(issuerKey, scheme, certificate.tbsBytes, certificate.signature);
}
