// SPDX-License-Identifier: Apache-2.0
import { CERTIFICATE_TYPES, WIN_CERT_REVISION } from '../format/win-certificate.ts';
import { type AuthenticatedVariable, decodeAuthenticatedVariable } from './authenticated-variable.ts';
import { EFI_TIME_BYTES } from './efi-time.ts';
import { decodeSignatureLists, type EfiSignatureList } from './signature-list.ts';

/** What a file with entries for db or dbx holds. */
export interface SignatureUpdate {
  readonly lists: readonly EfiSignatureList[];
  /** The signed envelope; undefined for bare lists. Not verified: verifyAuthenticatedVariable does that. */
  readonly variable: AuthenticatedVariable | undefined;
}

/** Where wRevision and wCertificateType of an envelope are. UEFI 2.10, 32.2.4. */
const REVISION_OFFSET = EFI_TIME_BYTES + 4;
const TYPE_OFFSET = EFI_TIME_BYTES + 6;

/**
 * Entries for db or dbx from a file: Microsoft's DBXUpdate.bin and the .auth files of efitools and sbvarsign, which are
 * signed, or an .esl file. Signature lists have SignatureHeaderSize where an envelope has its revision and type, and it
 * is 0 in all of them, so the two cannot be mistaken for each other.
 * @param label what to call the file in messages.
 * @throws {PeError} 'variable_malformed', 'signature_list_malformed', 'limit'.
 */
export function decodeSignatureUpdate(bytes: Uint8Array, label = 'signature update'): SignatureUpdate {
  if (!isEnvelope(bytes)) return { lists: decodeSignatureLists(bytes, label), variable: undefined };
  const variable = decodeAuthenticatedVariable(bytes, label);
  return { lists: decodeSignatureLists(variable.data, label), variable };
}

function isEnvelope(bytes: Uint8Array): boolean {
  if (bytes.length < TYPE_OFFSET + 2) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return (
    view.getUint16(REVISION_OFFSET, true) === WIN_CERT_REVISION &&
    view.getUint16(TYPE_OFFSET, true) === CERTIFICATE_TYPES.efiGuid
  );
}
