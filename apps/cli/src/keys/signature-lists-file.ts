// SPDX-License-Identifier: Apache-2.0
import { certificateLists, decodeSignatureUpdate, type EfiSignatureList, PeError } from '@vouchsafe/pe';
import { decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { readSmallFile } from '../parse.ts';
import { inFile } from '../signature-files.ts';

/** For entries that are compared and not written: nobody sees their owner. */
const NO_OWNER = '00000000-0000-0000-0000-000000000000';

/**
 * What a file brings to db or dbx: certificates in PEM or DER, signature lists (.esl), or those in a signed update (.auth,
 * Microsoft's DBXUpdate.bin), whose signature is not looked at.
 * @throws {PeError} 'signature_list_malformed', 'variable_malformed'; as decodeCertificates.
 */
export function readSignatureLists(path: string): EfiSignatureList[] {
  const bytes = readSmallFile(path);
  if (bytes.length === 0)
    throw new PeError('signature_list_malformed', `${path}: expected signature lists, found nothing`);
  if (isCertificateFile(bytes)) {
    const certificates = inFile(path, () => decodeCertificates(bytes, VENDOR_DER));
    return certificateLists(
      certificates.map((certificate) => certificate.bytes),
      NO_OWNER,
    );
  }
  return [...decodeSignatureUpdate(bytes, path).lists];
}

/** DER's SEQUENCE with a long length, or a text with a PEM block; a signature list begins with a GUID and holds a size. */
function isCertificateFile(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x30 && bytes[1] === 0x82) return true;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('-----BEGIN ');
}
