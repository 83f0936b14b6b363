// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { MANIFEST_PAYLOAD_TYPE, parseManifest, readUnverifiedManifest } from '@vouchsafe/manifest';
import { type Certificate, decodeCertificates, fingerprintOf, VENDOR_DER } from '@vouchsafe/pki';
import type {
  ArtefactHead,
  CertificatesDescription,
  DescribedCertificate,
  ManifestDescription,
  PemDescription,
} from './description.ts';

type Head = Omit<ArtefactHead, 'kind'>;

/** @throws {PkiError} */
export function describeCertificates(bytes: Uint8Array, head: Head): CertificatesDescription {
  return {
    ...head,
    kind: 'certificates',
    certificates: decodeCertificates(bytes, VENDOR_DER).map(describeCertificate),
  };
}

export function describeCertificate(certificate: Certificate): DescribedCertificate {
  const { subject, issuer, validity, serialBytes } = certificate;
  return {
    subject: subject.text,
    issuer: issuer.text,
    serialNumber: toHex(serialBytes),
    ...validity,
    fingerprint: toHex(fingerprintOf(certificate)),
  };
}

/** What the blocks are called, and nothing of what they hold: among them are private keys. */
export function describePem(bytes: Uint8Array, head: Head): PemDescription {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)]
    .slice(0, 1000)
    .map(([, name]) => name as string);
  const { sha256: _withheld, ...shown } = head;
  return { ...shown, kind: 'pem', blocks };
}

/** @throws {ManifestError} */
export function describeManifest(bytes: Uint8Array, head: Head): ManifestDescription {
  const isSigned = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MANIFEST_PAYLOAD_TYPE);
  const manifest = isSigned ? readUnverifiedManifest(bytes) : parseManifest(bytes);
  return { ...head, kind: 'manifest', isSigned, manifest };
}
