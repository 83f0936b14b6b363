// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { type Certificate, decodeCertificate, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import type { EfiSignature, EfiSignatureList } from '../efi/signature-list.ts';
import type { PeFile } from '../read/pe-file.ts';
import { checkSignaturesWith } from './check.ts';
import { digestMeasuredByFirmware } from './digest.ts';

/** Digests of a file that were computed already; they are added to, so that a file of any size is read once. */
export type FileDigests = Map<DigestAlgorithm, Uint8Array>;

/**
 * The certificate of a database by which firmware lets the file start, and which it therefore measures: of the file's first
 * signature that holds the first one in the order of the database. EDK II, SecurityPkg, DxeImageVerificationLib
 * (DxeImageVerificationHandler, IsAllowedByDb). dbx is another question.
 * @param digests of this file, by Authenticode, if some are known.
 * @throws {PeError} 'certificate_table' and 'limit' when the certificate table cannot be read.
 */
export function allowingCertificate(
  pe: PeFile,
  lists: readonly EfiSignatureList[],
  digests: FileDigests = new Map(),
): EfiSignature | undefined {
  if (pe.certificateTable === undefined) return undefined;
  const entries = lists.flatMap(({ type, signatures }) => (type === 'x509' ? signatures : []));
  const checks = entries.flatMap((entry) => {
    const certificate = decoded(entry.data);
    if (certificate === undefined) return [];
    return [{ entry, results: checkSignaturesWith(pe, { trusted: [certificate] }, digests).results }];
  });
  const count = checks[0]?.results.length ?? 0;
  for (let i = 0; i < count; i++) {
    const found = checks.find(({ results }) => results[i]?.findings.length === 0);
    if (found !== undefined) return found.entry;
  }
  return undefined;
}

/** The same for the file's digest, which lets unsigned files start. */
export function allowingDigest(pe: PeFile, lists: readonly EfiSignatureList[]): EfiSignature | undefined {
  for (const { type, signatures } of lists) {
    const algorithm = DIGESTS.find((name) => name === type);
    if (algorithm === undefined) continue;
    const digest = digestMeasuredByFirmware(pe, algorithm);
    const found = signatures.find(({ data }) => bytesEqual(data, digest));
    if (found !== undefined) return found;
  }
  return undefined;
}

const DIGESTS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

/** What is no certificate lets nothing start. */
function decoded(bytes: Uint8Array): Certificate | undefined {
  try {
    return decodeCertificate(bytes, VENDOR_DER);
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}
