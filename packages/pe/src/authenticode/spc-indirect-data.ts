// SPDX-License-Identifier: Apache-2.0
import { type DigestAlgorithm, digestSize } from '@vouchsafe/crypto';
import {
  contextTag,
  type DerElement,
  digestOf,
  encodeBitString,
  encodeDigestAlgorithm,
  encodeElement,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  PkiError,
  readAlgorithm,
  reopenDer,
} from '@vouchsafe/pki';
import { PeError } from '../error.ts';
import { SPC_OID } from './oid.ts';

/** SpcIndirectDataContent: which file the signature is for. Authenticode format, "SpcIndirectDataContent". */
export interface SpcIndirectData {
  readonly digestAlgorithm: DigestAlgorithm;
  readonly digest: Uint8Array;
}

/** "<<<Obsolete>>>" as a BMPString: what the format says to write for a file name. */
const OBSOLETE = Uint8Array.from([...'<<<Obsolete>>>'].flatMap((c) => [0, c.charCodeAt(0)]));

const FILE = contextTag(0, 'constructed');
const SPC_LINK_FILE = contextTag(2, 'constructed');
const SPC_STRING_UNICODE = contextTag(0, 'primitive');

/**
 * SpcIndirectDataContent in DER with SpcPeImageData as sbsign and systemd-sbsign write it: no flags, an obsolete file
 * name. Authenticode format, "SpcPeImageData".
 */
export function encodeSpcIndirectData({ digestAlgorithm, digest }: SpcIndirectData): Uint8Array {
  const flags = encodeBitString(new Uint8Array());
  const file = encodeElement(FILE, encodeElement(SPC_LINK_FILE, encodeElement(SPC_STRING_UNICODE, OBSOLETE)));
  return encodeSequence(
    encodeSequence(encodeOid(SPC_OID.peImageData), encodeSequence(flags, file)),
    encodeSequence(encodeDigestAlgorithm(digestAlgorithm), encodeOctetString(digest)),
  );
}

/**
 * The content of an Authenticode signature. The value beside the type is passed over, as firmware does: nothing in it
 * says anything of the file.
 * @throws {PeError} 'signature_malformed'.
 */
export function decodeSpcIndirectData(element: DerElement, label: string): SpcIndirectData {
  try {
    const content = reopenDer(element);
    const data = content.readSequence('data');
    const type = data.readOid('type');
    if (type !== SPC_OID.peImageData && type !== SPC_OID.individualCodeSigning) {
      throw data.error('unsupported', 'type', `expected SpcPeImageData (${SPC_OID.peImageData}), found ${type}`);
    }
    if (!data.isAtEnd) data.read('value');
    data.end();
    const messageDigest = content.readSequence('messageDigest');
    const digestAlgorithm = digestOf(readAlgorithm(messageDigest, 'digestAlgorithm'));
    const digest = messageDigest.readOctetString('digest');
    messageDigest.end();
    content.end();
    if (digest.length !== digestSize(digestAlgorithm)) {
      const message = `${label}: expected a ${digestAlgorithm} digest of ${digestSize(digestAlgorithm)} octets, found ${digest.length}`;
      throw new PeError('signature_malformed', message);
    }
    return { digestAlgorithm, digest };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PeError('signature_malformed', `${label}: SpcIndirectDataContent: ${cause.message}`, { cause });
  }
}
