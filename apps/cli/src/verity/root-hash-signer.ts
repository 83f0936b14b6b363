// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type Certificate, fingerprintOf } from '@vouchsafe/pki';
import { decodeVeritySigPartition, VerityError, verifyRootHashSignature } from '@vouchsafe/verity';
import { readSmallFile } from '../parse.ts';
import { inFile, readCertificates, signatureDer, startsWith } from '../signature-files.ts';

/**
 * Checks the signature of a root hash: CMS in DER or PEM, or the content of a verity-sig partition.
 * @returns the signer's name.
 * @throws {VerityError} 'signature_invalid', 'signature_malformed': nothing that comes after would mean anything.
 */
export function rootHashSigner(rootHash: Uint8Array, signaturePath: string, certificatePath: string): string {
  const trusted = readCertificates(certificatePath);
  const bytes = readSmallFile(signaturePath);
  const certificate = inFile(signaturePath, () =>
    // The partition is a JSON object, with zeros behind it. UAPI.2 Discoverable Partitions, "Verity".
    startsWith(bytes, '{')
      ? partitionSigner(rootHash, bytes, trusted)
      : verifyRootHashSignature(rootHash, signatureDer(bytes), trusted).certificate,
  );
  return certificate.subject.text;
}

/** Its root hash and fingerprint are what systemd goes by, so they must be right beside the signature. */
function partitionSigner(rootHash: Uint8Array, bytes: Uint8Array, trusted: readonly Certificate[]): Certificate {
  const partition = decodeVeritySigPartition(bytes);
  if (!bytesEqual(partition.rootHash, rootHash)) {
    throw new VerityError(
      'signature_invalid',
      `the verity-sig partition is of the root hash ${toHex(partition.rootHash)}, expected ${toHex(rootHash)}; is it of another image or version?`,
    );
  }
  const { certificate } = verifyRootHashSignature(rootHash, partition.signature, trusted);
  const { certificateFingerprint: named } = partition;
  const fingerprint = fingerprintOf(certificate);
  if (named !== undefined && !bytesEqual(named, fingerprint)) {
    throw new VerityError(
      'signature_invalid',
      `the verity-sig partition names the certificate with SHA-256 ${toHex(named)}, but ${toHex(fingerprint)} has signed; make it anew with verity sign --as partition`,
    );
  }
  return certificate;
}
