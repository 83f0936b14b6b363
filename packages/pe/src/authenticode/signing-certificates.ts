// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { type Certificate, decodeCertificate, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import type { AuthenticodeSignature } from './signature.ts';

/** Certificates above a signer that are looked up in dbx; Microsoft's chains have two. */
const MAX_CHAIN = 8;

/**
 * The signers' certificates in the message and those that by their names issued them: whose revocation revokes the
 * signature (UEFI 2.10, 32.5.3.3). By names alone, as a chain that is longer than it is refuses more, never less.
 */
export function signingCertificates(signature: AuthenticodeSignature | undefined): Certificate[] {
  if (signature === undefined) return [];
  const { certificates, signers } = signature.signedData;
  const inMessage = certificates.flatMap(decoded);
  const found = new Set<Certificate>();
  let wanted = inMessage.filter((certificate) =>
    signers.some(({ signerIdentifier }) =>
      signerIdentifier.kind === 'issuerAndSerial'
        ? bytesEqual(signerIdentifier.issuer.bytes, certificate.issuer.bytes) &&
          signerIdentifier.serialNumber === certificate.serialNumber
        : bytesEqual(signerIdentifier.keyIdentifier, certificate.extensions.subjectKeyIdentifier ?? new Uint8Array()),
    ),
  );
  for (let length = 0; length < MAX_CHAIN && wanted.length > 0; length++) {
    for (const certificate of wanted) found.add(certificate);
    const below = wanted;
    wanted = inMessage.filter(
      (candidate) =>
        !found.has(candidate) && below.some(({ issuer }) => bytesEqual(issuer.bytes, candidate.subject.bytes)),
    );
  }
  return [...found];
}

function decoded(bytes: Uint8Array): Certificate[] {
  try {
    return [decodeCertificate(bytes, VENDOR_DER)];
  } catch (error) {
    if (error instanceof PkiError) return [];
    throw error;
  }
}
