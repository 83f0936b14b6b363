// SPDX-License-Identifier: Apache-2.0
import { constant, guid, type Infer, openEnumOf, struct, u16le, u32le } from '@vouchsafe/codec';

/** WIN_CERT_TYPE_…. UEFI 2.10, 32.2.4; PE Format, "The Attribute Certificate Table (Image Only)". */
export const CERTIFICATE_TYPES = {
  x509: 0x0001,
  pkcsSignedData: 0x0002,
  pkcs1Sign: 0x0ef0,
  efiGuid: 0x0ef1,
} as const;

/** WIN_CERTIFICATE, 8 octets before the certificate. UEFI 2.10, 32.2.4. */
export const winCertificate = struct('WIN_CERTIFICATE', {
  dwLength: [u32le, 'octets of the entry, this header included'],
  wRevision: [u16le, '0x0200'],
  wCertificateType: openEnumOf(u16le, CERTIFICATE_TYPES),
});
export type WinCertificate = Infer<typeof winCertificate>;
export const WIN_CERTIFICATE_BYTES = 8;
/** Entries begin at multiples of this many octets. PE Format, "The Attribute Certificate Table (Image Only)". */
export const CERTIFICATE_ALIGNMENT = 8;
export const WIN_CERT_REVISION = 0x0200;

/** EFI_CERT_TYPE_PKCS7_GUID. UEFI 2.10, 32.2.4. */
export const CERT_TYPE_PKCS7_GUID = '4aafd29d-68df-49ee-8aa9-347d375665a7';

/** WIN_CERTIFICATE_UEFI_GUID for a PKCS #7 signature, 24 octets before it. UEFI 2.10, 32.2.4 and 8.2.6. */
export const winCertificateUefiGuid = struct('WIN_CERTIFICATE_UEFI_GUID', {
  dwLength: [u32le, 'octets with this header'],
  wRevision: constant(u16le, WIN_CERT_REVISION),
  wCertificateType: constant(u16le, CERTIFICATE_TYPES.efiGuid),
  certType: [constant(guid, CERT_TYPE_PKCS7_GUID), 'EFI_CERT_TYPE_PKCS7_GUID'],
});
export const WIN_CERTIFICATE_UEFI_GUID_BYTES = 24;
