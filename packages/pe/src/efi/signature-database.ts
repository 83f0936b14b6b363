// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type DigestAlgorithm, digest } from '@vouchsafe/crypto';
import { type Certificate, decodeCertificate, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { decodeStructure } from '../read/read-structure.ts';
import { EFI_TIME_BYTES, type EfiTime, efiTime } from './efi-time.ts';
import type { EfiSignature, EfiSignatureList } from './signature-list.ts';

/** Digests of images that a database may hold. */
export type ImageDigestAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** A certificate that dbx names by its digest. EFI_CERT_X509_SHA256 and its like, UEFI 2.10, 32.4.1. */
export interface CertificateRevocation {
  /** Signatures made before stay good where a trusted time stamp proves it; undefined when none does. */
  readonly since: EfiTime | undefined;
}

/** db or dbx, looked up by what an image has. */
export interface SignatureDatabase {
  readonly certificates: readonly Certificate[];
  /** Algorithms that some digest of an image is in. */
  readonly digestAlgorithms: readonly ImageDigestAlgorithm[];
  /** Entries that firmware passes over: a certificate that is none, a type that it does not compare. */
  readonly ignored: readonly IgnoredEntry[];
  hasDigest(algorithm: ImageDigestAlgorithm, value: Uint8Array): boolean;
  /** What the database says of a certificate by its digest; undefined when nothing. */
  revocationOf(certificate: Certificate): CertificateRevocation | undefined;
}

export interface IgnoredEntry {
  /** Index of the list, from 0. */
  readonly list: number;
  /** Index of the signature in it, from 0. */
  readonly index: number;
  readonly reason: string;
}

const IMAGE_DIGESTS: readonly string[] = ['sha1', 'sha256', 'sha384', 'sha512'] satisfies ImageDigestAlgorithm[];

const TBS_DIGESTS = new Map<string, DigestAlgorithm>([
  ['x509Sha256', 'sha256'],
  ['x509Sha384', 'sha384'],
  ['x509Sha512', 'sha512'],
]);

/** Signature lists as firmware uses them: UEFI 2.10, 32.4.1 and 32.5.3.3. Never refuses a list, as firmware does not. */
export function openSignatureDatabase(lists: readonly EfiSignatureList[]): SignatureDatabase {
  const certificates: Certificate[] = [];
  const digests = new Map<ImageDigestAlgorithm, Set<string>>();
  const revocations = new Map<DigestAlgorithm, Map<string, CertificateRevocation>>();
  const ignored: IgnoredEntry[] = [];
  for (const [list, { type, signatures }] of lists.entries()) {
    const tbsDigest = TBS_DIGESTS.get(type);
    for (const [index, signature] of signatures.entries()) {
      if (isImageDigest(type)) {
        setOf(digests, type).add(toHex(signature.data));
      } else if (tbsDigest !== undefined) {
        addRevocation(revocations, tbsDigest, signature);
      } else if (type === 'x509') {
        const certificate = decoded(signature.data);
        if (certificate instanceof PkiError) ignored.push({ list, index, reason: certificate.message });
        else certificates.push(certificate);
      } else {
        ignored.push({ list, index, reason: `signatures of type ${type} are not compared with images` });
      }
    }
  }
  return {
    certificates,
    digestAlgorithms: [...digests.keys()],
    ignored,
    hasDigest: (algorithm, value) => digests.get(algorithm)?.has(toHex(value)) === true,
    revocationOf(certificate) {
      for (const [algorithm, entries] of revocations) {
        const found = entries.get(toHex(digest(algorithm, certificate.tbsBytes)));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function isImageDigest(type: string): type is ImageDigestAlgorithm {
  return IMAGE_DIGESTS.includes(type);
}

function setOf(digests: Map<ImageDigestAlgorithm, Set<string>>, algorithm: ImageDigestAlgorithm): Set<string> {
  const found = digests.get(algorithm) ?? new Set<string>();
  digests.set(algorithm, found);
  return found;
}

/** ToBeSignedHash, then TimeOfRevocation. UEFI 2.10, 32.4.1: a time of zeros revokes always. */
function addRevocation(
  revocations: Map<DigestAlgorithm, Map<string, CertificateRevocation>>,
  algorithm: DigestAlgorithm,
  { data }: EfiSignature,
): void {
  const hash = toHex(data.subarray(0, data.length - EFI_TIME_BYTES));
  const entries = revocations.get(algorithm) ?? new Map<string, CertificateRevocation>();
  revocations.set(algorithm, entries);
  const since = revocationTime(data.subarray(data.length - EFI_TIME_BYTES));
  // The same certificate twice: always is more than since then.
  if (since === undefined || !entries.has(hash)) entries.set(hash, { since });
}

/** A time that cannot be one revokes always as well: who wrote it wanted the certificate gone. */
function revocationTime(bytes: Uint8Array): EfiTime | undefined {
  if (bytes.every((octet) => octet === 0) || bytes.subarray(7).some((octet) => octet !== 0)) return undefined;
  return decodeStructure(efiTime, bytes, 0, 'dbx', 'signature_list_malformed');
}

function decoded(bytes: Uint8Array): Certificate | PkiError {
  try {
    return decodeCertificate(bytes, VENDOR_DER);
  } catch (error) {
    if (error instanceof PkiError) return error;
    throw error;
  }
}
