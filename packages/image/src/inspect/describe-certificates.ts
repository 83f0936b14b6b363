// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { decodePlatformCertificate, tpmOf } from '@vouchsafe/identity';
import {
  type Certificate,
  decodeCertificate,
  decodeCertificates,
  fingerprintOf,
  parsePem,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { findStoredCertificates } from '@vouchsafe/tpm';
import { isAttributeCertificateDer } from './certificate-kind.ts';
import type {
  ArtefactHead,
  CertificatesDescription,
  DescribedCertificate,
  PlatformCertificateDescription,
} from './description.ts';

type Head = Omit<ArtefactHead, 'kind'>;

const STORED_HEADER = 0x10;
const SEQUENCE = 0x30;

/**
 * In PEM, in DER, or as they lie in the NV of a TPM. Makers have shipped platform certificates in PEM under the label of others.
 * @throws {PkiError}
 */
export function describeCertificates(
  bytes: Uint8Array,
  head: Head,
): CertificatesDescription | PlatformCertificateDescription {
  if (bytes[0] !== STORED_HEADER && bytes[0] !== SEQUENCE) {
    const [first] = parsePem(bytes, 'CERTIFICATE');
    if (first !== undefined && isAttributeCertificateDer(first.bytes)) return describePlatform(first.bytes, head);
  }
  return { ...head, kind: 'certificates', certificates: certificatesIn(bytes).map(describeCertificate) };
}

function certificatesIn(bytes: Uint8Array): Certificate[] {
  if (bytes[0] !== STORED_HEADER) return decodeCertificates(bytes, VENDOR_DER);
  return findStoredCertificates(bytes).certificates.map((der) => decodeCertificate(der, VENDOR_DER));
}

export function describeCertificate(certificate: Certificate): DescribedCertificate {
  const { subject, issuer, validity, serialBytes } = certificate;
  const tpm = tpmOf(certificate);
  return {
    subject: subject.text,
    issuer: issuer.text,
    serialNumber: toHex(serialBytes),
    ...validity,
    fingerprint: toHex(fingerprintOf(certificate)),
    ...(tpm.manufacturer === undefined ? {} : { tpm }),
  };
}

/** What the maker of a machine says of it. @throws {PkiError} */
export function describePlatformCertificate(bytes: Uint8Array, head: Head): PlatformCertificateDescription {
  return describePlatform(
    bytes[0] === SEQUENCE ? bytes : (parsePem(bytes, 'ATTRIBUTE CERTIFICATE')[0]?.bytes ?? bytes),
    head,
  );
}

function describePlatform(der: Uint8Array, head: Head): PlatformCertificateDescription {
  const certificate = decodePlatformCertificate(der);
  const { attributeCertificate, kind, manufacturer, model, version, serial, configuration } = certificate;
  return {
    ...head,
    kind: 'platform-certificate',
    certificate: {
      type: kind,
      issuer: attributeCertificate.issuer.text,
      serialNumber: toHex(attributeCertificate.serialBytes),
      ...attributeCertificate.validity,
      manufacturer,
      model,
      version,
      serial,
      holderSerialNumber: optionalHex(attributeCertificate.holder.baseCertificate?.serialBytes),
      components: configuration?.components ?? [],
      properties: configuration?.properties ?? [],
    },
  };
}

const optionalHex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : toHex(bytes);
