// SPDX-License-Identifier: Apache-2.0
import { certificateLists, type EfiSignatureList } from '@vouchsafe/pe';
import { type Certificate, decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import { inFile } from '../signature-files.ts';

/** SignatureOwner of Microsoft's entries. Windows Secure Boot Key Creation and Management Guidance, 1.4. */
const MICROSOFT_OWNER = '77fa9abd-0359-4d32-bd60-28f4e78f784b';

/** Certificates of Microsoft, for the variables that they belong to. */
export interface VendorCertificates {
  readonly kek: readonly EfiSignatureList[];
  readonly db: readonly EfiSignatureList[];
  /** What went where, for people. */
  readonly notes: readonly string[];
}

/**
 * Certificates from files, PEM or DER. Those that call themselves a KEK ('Microsoft Corporation KEK 2K CA 2023') go to KEK,
 * all others to db.
 */
export function readVendorCertificates(paths: readonly string[]): VendorCertificates {
  const certificates = paths.flatMap((path) => {
    const bytes = readSmallFile(path);
    return inFile(path, () => decodeCertificates(bytes, VENDOR_DER));
  });
  const isKek = ({ subject }: Certificate): boolean => /\bKEK\b/.test(subject.text);
  const lists = (own: readonly Certificate[]): EfiSignatureList[] =>
    certificateLists(
      own.map(({ bytes }) => bytes),
      MICROSOFT_OWNER,
    );
  return {
    kek: lists(certificates.filter(isKek)),
    db: lists(certificates.filter((certificate) => !isKek(certificate))),
    notes: certificates.map(
      (certificate) => `${printable(certificate.subject.text)} added to ${isKek(certificate) ? 'KEK' : 'db'}`,
    ),
  };
}
