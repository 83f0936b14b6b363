// SPDX-License-Identifier: Apache-2.0
import { type DerRules, STRICT_DER } from '../der/rules.ts';
import { TAG } from '../der/tag.ts';
import { PkiError } from '../error.ts';
import { formatPem, parsePem } from '../pem.ts';
import { type Certificate, decodeCertificate } from './certificate.ts';

const LABEL = 'CERTIFICATE';

/**
 * The certificates of a file's bytes: one in DER, or any number in PEM.
 * @throws {PkiError} 'pem_malformed' when the file has none, or holds something else than certificates; 'der_…' and
 * 'certificate_malformed' as decodeCertificate does.
 */
export function decodeCertificates(bytes: Uint8Array, rules: DerRules = STRICT_DER): Certificate[] {
  // A certificate's length takes more than one octet; '0', which is the same octet as SEQUENCE, may begin a text.
  if (bytes[0] === TAG.sequence && (bytes[1] ?? 0) >= 0x80) return [decodeCertificate(bytes, rules)];
  const blocks = parsePem(bytes, LABEL);
  if (blocks.length === 0) {
    throw new PkiError(
      'pem_malformed',
      `expected '-----BEGIN ${LABEL}-----' or DER, found neither; is it a certificate?`,
    );
  }
  return blocks.map((block) => decodeCertificate(block.bytes, rules));
}

/** One certificate in PEM. RFC 7468, 5. */
export function formatCertificate(certificate: Pick<Certificate, 'bytes'>): string {
  return formatPem(LABEL, certificate.bytes);
}
