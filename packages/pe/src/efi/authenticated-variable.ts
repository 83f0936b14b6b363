// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, guid, rest, u32le, utf16le } from '@vouchsafe/codec';
import {
  type Certificate,
  decodeSignedData,
  type KeySource,
  PkiError,
  type SignedData,
  type Signer,
  signDetached,
  type VerifiedSignedData,
  verifySignedData,
} from '@vouchsafe/pki';
import { requireFirmwareScheme } from '../authenticode/firmware-scheme.ts';
import { PeError } from '../error.ts';
import {
  CERT_TYPE_PKCS7_GUID,
  CERTIFICATE_TYPES,
  WIN_CERT_REVISION,
  WIN_CERTIFICATE_UEFI_GUID_BYTES,
  winCertificateUefiGuid,
} from '../format/win-certificate.ts';
import { MAX_SIGNATURE_LISTS_BYTES } from '../limits.ts';
import { decodeStructure } from '../read/read-structure.ts';
import { EFI_TIME_BYTES, type EfiTime, efiTime, efiTimeOf, encodeEfiTime } from './efi-time.ts';

/** Which variable, and how it is written: all of it is signed. UEFI 2.10, 8.2.6. */
export interface VariableTarget {
  readonly name: string;
  /** VendorGuid. */
  readonly vendor: string;
  /** KEY_VARIABLE_ATTRIBUTES, with VARIABLE_ATTRIBUTE.appendWrite to add to what is there. */
  readonly attributes: number;
}

/** EFI_VARIABLE_AUTHENTICATION_2 and the data behind it: an .auth file. UEFI 2.10, 8.2.6. Nothing in it is verified. */
export interface AuthenticatedVariable {
  readonly time: EfiTime;
  /** The exact octets of the time, as they are signed. */
  readonly timeBytes: Uint8Array;
  readonly signedData: SignedData;
  /** The variable's data: signature lists, for the keys of Secure Boot. */
  readonly data: Uint8Array;
}

/** Names of variables are short; this bounds what is allocated for one. */
const MAX_NAME_UNITS = 1024;

/** @throws {PeError} 'variable_malformed' with the offset, 'limit'. */
export function decodeAuthenticatedVariable(
  bytes: Uint8Array,
  label = 'authenticated variable',
): AuthenticatedVariable {
  const fail = (message: string, offset: number): PeError =>
    new PeError('variable_malformed', `${label}: ${message}`, { offset });
  const headerEnd = EFI_TIME_BYTES + WIN_CERTIFICATE_UEFI_GUID_BYTES;
  if (bytes.length > MAX_SIGNATURE_LISTS_BYTES) {
    const message = `${label}: expected at most ${MAX_SIGNATURE_LISTS_BYTES} octets, found ${bytes.length}`;
    throw new PeError('limit', message, { offset: 0 });
  }
  if (bytes.length < headerEnd) throw fail(`expected at least ${headerEnd} octets, found ${bytes.length}`, 0);
  const timeBytes = bytes.subarray(0, EFI_TIME_BYTES);
  const time = decodeStructure(efiTime, timeBytes, 0, label, 'variable_malformed');
  const header = bytes.subarray(EFI_TIME_BYTES, headerEnd);
  const { dwLength } = decodeStructure(winCertificateUefiGuid, header, EFI_TIME_BYTES, label, 'variable_malformed');
  const end = EFI_TIME_BYTES + dwLength;
  if (dwLength <= WIN_CERTIFICATE_UEFI_GUID_BYTES || end > bytes.length) {
    const most = bytes.length - EFI_TIME_BYTES;
    throw fail(
      `expected dwLength from ${WIN_CERTIFICATE_UEFI_GUID_BYTES + 1} to ${most}, found ${dwLength}`,
      EFI_TIME_BYTES,
    );
  }
  try {
    const signedData = decodeSignedData(bytes.subarray(headerEnd, end));
    return { time, timeBytes, signedData, data: bytes.subarray(end) };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PeError('variable_malformed', `${label}: signature: ${cause.message}`, { offset: headerEnd, cause });
  }
}

export interface SignVariableOptions {
  readonly signer: Signer;
  /** Milliseconds since 1970, whole seconds. Firmware refuses a replacement that is not later than what it has. */
  readonly timeMs: number;
}

/**
 * An .auth file: the time, a signature as SignedData without ContentInfo (as efitools, sbvarsign and Microsoft write it,
 * and old firmware insists) and the data. The same input gives the same bytes when the signer's scheme is deterministic.
 * @throws {PeError} 'options_invalid'.
 * @throws {PkiError} as signDetached does.
 */
export async function signVariable(
  target: VariableTarget,
  data: Uint8Array,
  { signer, timeMs }: SignVariableOptions,
): Promise<Uint8Array> {
  requireFirmwareScheme(signer.scheme);
  const time = encodeEfiTime(efiTimeOf(timeMs));
  const contentInfo = await signDetached(signedBytesOf(target, time, data), signer, { includeCertificate: true });
  const { element } = decodeSignedData(contentInfo);
  const header = encode(winCertificateUefiGuid, {
    dwLength: WIN_CERTIFICATE_UEFI_GUID_BYTES + element.bytes.length,
    wRevision: WIN_CERT_REVISION,
    wCertificateType: CERTIFICATE_TYPES.efiGuid,
    certType: CERT_TYPE_PKCS7_GUID,
  });
  return concatBytes(time, header, element.bytes, data);
}

/**
 * Checks that a trusted certificate's key signed this data for this variable.
 * @param trusted for PK the present PK, for KEK the PK, for db and dbx the KEK.
 * @throws {PkiError} 'signer_unknown', 'signature_invalid' and the others of verifySignedData.
 */
export function verifyAuthenticatedVariable(
  variable: AuthenticatedVariable,
  target: VariableTarget,
  trusted: readonly Certificate[],
  keys?: KeySource,
): VerifiedSignedData {
  const content = signedBytesOf(target, variable.timeBytes, variable.data);
  return verifySignedData(variable.signedData, { trusted, content, ...(keys === undefined ? {} : { keys }) });
}

/** What the signature is over: the name without NUL, VendorGuid, Attributes, TimeStamp, Data. UEFI 2.10, 8.2.6. */
function signedBytesOf({ name, vendor, attributes }: VariableTarget, time: Uint8Array, data: Uint8Array): Uint8Array {
  if (name === '' || name.length > MAX_NAME_UNITS) {
    throw new PeError(
      'options_invalid',
      `expected a variable's name of 1 to ${MAX_NAME_UNITS} units, found ${name.length}`,
    );
  }
  return concatBytes(encode(utf16le(rest), name), encode(guid, vendor), encode(u32le, attributes), time, data);
}
