// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  certificateLists,
  decodeSignatureUpdate,
  digestMeasuredByFirmware,
  type EfiSignatureList,
  isPe,
  openPe,
  PeError,
} from '@vouchsafe/pe';
import { decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { readSmallFile } from '../parse.ts';
import { inFile } from '../signature-files.ts';

/** For entries that are compared and not written: nobody sees their owner. */
const NO_OWNER = '00000000-0000-0000-0000-000000000000';

/**
 * What a file brings to db or dbx: certificates in PEM or DER, signature lists (.esl), those in a signed update (.auth,
 * Microsoft's DBXUpdate.bin), whose signature is not looked at, or a PE file, which counts by its digest.
 * @param owner of entries that have none yet.
 * @throws {PeError} 'signature_list_malformed', 'variable_malformed'; as decodeCertificates.
 */
export function readSignatureLists(path: string, owner: string = NO_OWNER): EfiSignatureList[] {
  if (isImageFile(path)) return [imageDigest(path, owner)];
  const bytes = readSmallFile(path);
  if (bytes.length === 0)
    throw new PeError('signature_list_malformed', `${path}: expected signature lists, found nothing`);
  if (isCertificateFile(bytes)) {
    const certificates = inFile(path, () => decodeCertificates(bytes, VENDOR_DER));
    return certificateLists(
      certificates.map((certificate) => certificate.bytes),
      owner,
    );
  }
  return [...decodeSignatureUpdate(bytes, path).lists];
}

/** DER's SEQUENCE with a long length, or a text with a PEM block; a signature list begins with a GUID and holds a size. */
function isCertificateFile(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x30 && bytes[1] === 0x82) return true;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('-----BEGIN ');
}

function isImageFile(path: string): boolean {
  // Of a pipe nothing can be read twice.
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  using source = FileSource.open(path);
  return isPe(source);
}

/** EFI_CERT_SHA256: what firmware compares images with, signed or not. UEFI 2.10, 32.4.1. */
function imageDigest(path: string, owner: string): EfiSignatureList {
  using source = FileSource.open(path);
  return { type: 'sha256', signatures: [{ owner, data: digestMeasuredByFirmware(openPe(source), 'sha256') }] };
}
