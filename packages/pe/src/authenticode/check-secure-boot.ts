// SPDX-License-Identifier: Apache-2.0
import { type Finding, toHex } from '@vouchsafe/base';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import type { Certificate, KeySource } from '@vouchsafe/pki';
import type { EfiTime } from '../efi/efi-time.ts';
import { type ImageDigestAlgorithm, openSignatureDatabase, type SignatureDatabase } from '../efi/signature-database.ts';
import type { EfiSignatureList } from '../efi/signature-list.ts';
import type { PeFile } from '../read/pe-file.ts';
import { checkSignaturesWith, type SignatureCheck, type SignatureFindingCode, type SignatureResult } from './check.ts';
import { digestCoveredBySignature, digestMeasuredByFirmware } from './digest.ts';
import { signingCertificates } from './signing-certificates.ts';

export type SecureBootFindingCode =
  | SignatureFindingCode
  | 'revoked_certificate' // dbx forbids a certificate that the signature rests on
  | 'revoked_digest' // dbx forbids the file itself
  | 'digest_padded' // db has the digest of the padded file, firmware looks for that of the file as it is
  | 'database_entry_ignored'; // an entry of db or dbx that firmware passes over

/** What firmware holds, as signature lists. */
export interface SecureBootDatabases {
  readonly db: readonly EfiSignatureList[];
  readonly dbx?: readonly EfiSignatureList[];
}

export interface SecureBootCheck {
  /** True when firmware with these databases loads the file with Secure Boot on. */
  readonly isAllowed: boolean;
  /** What allows it; undefined when nothing does, or when dbx forbids it. */
  readonly allowedBy: 'certificate' | 'digest' | undefined;
  /** The certificate of db that the good signature leads to. */
  readonly anchor: Certificate | undefined;
  /** Every signature, checked against the certificates of db. */
  readonly signatures: readonly SignatureResult[];
  /** Errors say why the file is not loaded; when it is, what is amiss beside that is a warning or less. */
  readonly findings: readonly Finding<SecureBootFindingCode>[];
}

/**
 * Whether firmware loads the file with Secure Boot on: UEFI 2.10, 32.5.3.3, as EDK II does it (SecurityPkg,
 * DxeImageVerificationLib). db allows by a certificate or by the file's digest; dbx forbids by a certificate, by the digest
 * of a certificate's TBSCertificate, or by the file's digest, and beats db: one forbidden signature is enough, whatever
 * other signatures there are.
 *
 * Two places are stricter than EDK II, as other firmware is: the file's digest is looked for in dbx in every algorithm
 * that dbx has, not only in the signature's own, and a revocation with a time counts for every signature, as firmware
 * without dbt, which nobody fills, has no time stamp to trust.
 * @throws {PeError} 'certificate_table' and 'limit' when the certificate table cannot be read.
 */
export function checkSecureBoot(pe: PeFile, databases: SecureBootDatabases, keys?: KeySource): SecureBootCheck {
  const db = openSignatureDatabase(databases.db);
  const dbx = openSignatureDatabase(databases.dbx ?? []);
  const digests = new Map<DigestAlgorithm, Uint8Array>();
  const signedBy = (trusted: readonly Certificate[]): SignatureCheck =>
    checkSignaturesWith(pe, { trusted, ...(keys === undefined ? {} : { keys }) }, digests);
  const check = signedBy(db.certificates);
  const revoked = [
    ...revokedDigests(pe, dbx, digests),
    ...forbiddenSignatures(pe, dbx, check, signedBy),
    ...revokedChains(pe, dbx, check),
  ];
  const listed = findDigest(pe, db, digests);
  const good = check.results.find(({ findings }) => findings.length === 0);
  const by = good === undefined ? (listed === 'exact' ? 'digest' : undefined) : 'certificate';
  const allowedBy = revoked.length === 0 ? by : undefined;
  const findings: Finding<SecureBootFindingCode>[] = [...revoked];
  // Other signatures than the good one are of no consequence, and a digest in db is as good as a signature.
  for (const finding of check.findings) {
    findings.push(by === undefined ? finding : { ...finding, severity: 'info' });
  }
  if (by === undefined && listed === 'padded') findings.push(paddedDigest(pe));
  findings.push(...ignoredEntries('db', db), ...ignoredEntries('dbx', dbx));
  return {
    isAllowed: allowedBy !== undefined,
    allowedBy,
    anchor: allowedBy === 'certificate' ? good?.anchor : undefined,
    signatures: check.results,
    findings,
  };
}

function digestOfFile(
  pe: PeFile,
  algorithm: ImageDigestAlgorithm,
  digests: Map<DigestAlgorithm, Uint8Array>,
): Uint8Array {
  const found = digests.get(algorithm) ?? digestCoveredBySignature(pe, algorithm);
  digests.set(algorithm, found);
  return found;
}

/** The digest that firmware looks up is that of the file without padding; the two are one for most files. */
function unpaddedDigest(pe: PeFile, algorithm: ImageDigestAlgorithm, padded: Uint8Array): Uint8Array {
  const isSame = pe.certificateTable !== undefined || pe.source.size % 8 === 0;
  return isSame ? padded : digestMeasuredByFirmware(pe, algorithm);
}

function findDigest(
  pe: PeFile,
  database: SignatureDatabase,
  digests: Map<DigestAlgorithm, Uint8Array>,
): 'exact' | 'padded' | undefined {
  let found: 'exact' | 'padded' | undefined;
  for (const algorithm of database.digestAlgorithms) {
    const padded = digestOfFile(pe, algorithm, digests);
    if (database.hasDigest(algorithm, unpaddedDigest(pe, algorithm, padded))) return 'exact';
    if (database.hasDigest(algorithm, padded)) found = 'padded';
  }
  return found;
}

function revokedDigests(
  pe: PeFile,
  dbx: SignatureDatabase,
  digests: Map<DigestAlgorithm, Uint8Array>,
): Finding<SecureBootFindingCode>[] {
  return dbx.digestAlgorithms.flatMap((algorithm) => {
    const padded = digestOfFile(pe, algorithm, digests);
    const found = [padded, unpaddedDigest(pe, algorithm, padded)].find((value) => dbx.hasDigest(algorithm, value));
    if (found === undefined) return [];
    const hint = 'this very file is revoked, whoever signed it; use a release that is not';
    const where = { artefact: pe.source.label };
    const actual = `${algorithm} ${toHex(found)}`;
    return [
      {
        code: 'revoked_digest',
        severity: 'error',
        where,
        expected: 'a digest that is not in dbx',
        actual,
        hint,
      } as const,
    ];
  });
}

/** Signatures that a certificate in dbx made or vouches for, and those of which that cannot be told. */
function forbiddenSignatures(
  pe: PeFile,
  dbx: SignatureDatabase,
  { results }: SignatureCheck,
  signedBy: (trusted: readonly Certificate[]) => SignatureCheck,
): Finding<SecureBootFindingCode>[] {
  if (dbx.certificates.length === 0 || results.length === 0) return [];
  return signedBy(dbx.certificates).results.flatMap(({ entry, anchor, findings }) =>
    anchor === undefined
      ? findings.filter(({ code }) => code === 'chain_limit')
      : [revokedCertificate(pe, entry.offset, anchor, undefined)],
  );
}

/** Signatures of which a signer, an authority above it or the certificate in db is in dbx by digest. */
function revokedChains(
  pe: PeFile,
  dbx: SignatureDatabase,
  { results }: SignatureCheck,
): Finding<SecureBootFindingCode>[] {
  return results.flatMap((result) => {
    const chain = [...(result.anchor === undefined ? [] : [result.anchor]), ...signingCertificates(result.signature)];
    for (const certificate of chain) {
      const revocation = dbx.revocationOf(certificate);
      if (revocation !== undefined) {
        return [revokedCertificate(pe, result.entry.offset, certificate, revocation.since)];
      }
    }
    return [];
  });
}

function revokedCertificate(
  pe: PeFile,
  offset: number,
  certificate: Certificate,
  since: EfiTime | undefined,
): Finding<SecureBootFindingCode> {
  const time = since === undefined ? '' : `, revoked since ${formatTime(since)}`;
  return {
    code: 'revoked_certificate',
    severity: 'error',
    where: { artefact: pe.source.label, offset },
    expected: 'a signature that rests on no certificate in dbx',
    actual: `${certificate.subject.text}${time}`,
    hint: 'remove this signature and sign with a key that is not revoked; one forbidden signature spoils all others',
  };
}

function formatTime({ year, month, day }: EfiTime): string {
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

function paddedDigest(pe: PeFile): Finding<SecureBootFindingCode> {
  return {
    code: 'digest_padded',
    severity: 'error',
    where: { artefact: pe.source.label },
    expected: 'a size that is a multiple of 8 octets',
    actual: `${pe.source.size}`,
    hint: 'db has the digest of the padded file, firmware looks for that of the file as it is; pad the file with zeros, or sign it',
  };
}

/** One finding for all of them, as a database may hold thousands. */
function ignoredEntries(name: 'db' | 'dbx', { ignored }: SignatureDatabase): Finding<SecureBootFindingCode>[] {
  const [first] = ignored;
  if (first === undefined) return [];
  return [
    {
      code: 'database_entry_ignored',
      severity: 'warning',
      where: { artefact: name, path: `list ${first.list}, signature ${first.index}` },
      expected: 'certificates and digests of images',
      actual: `${ignored.length} other`,
      hint: `firmware passes over what it cannot use; the first: ${first.reason}`,
    },
  ];
}
