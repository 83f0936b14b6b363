// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { contextTag, TAG } from '../der/tag.ts';
import { encodeTime } from '../der/time.ts';
import { encodeBitString, encodeElement, encodeInteger, encodeSequence } from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';
import { formatPem } from '../pem.ts';
import { encodeSignatureAlgorithm } from '../signature-algorithm.ts';
import { signWith } from '../signer.ts';
import { encodeExtension } from '../x509/extension.ts';
import { type Authority, issuerOf } from '../x509/issue.ts';
import { type CertificateRevocationList, decodeCrl, type RevokedCertificate } from './crl.ts';
import { CRL_REASON_NUMBERS, type CrlReason } from './reason.ts';

/** RFC 5280, 4.1.2.2 and 5.2.3: at most 20 octets with the sign. */
const MAX_NUMBER = (1n << 159n) - 1n;
/** Entries encoded at a time. */
const GROUP = 4096;

/** What a revocation list says. Nothing is taken from a clock. */
export interface CrlInput {
  /** Larger than that of every list before: RFC 5280, 5.2.3. */
  readonly crlNumber: bigint;
  /** Milliseconds since 1970, UTC, whole seconds. */
  readonly thisUpdateMs: number;
  /** When the next one is out at the latest; readers refuse a list that is older. */
  readonly nextUpdateMs: number;
  /** The order is kept. */
  readonly revoked: readonly RevokedCertificate[];
}

/**
 * A certificate revocation list, version 2, with the authority's key identifier and the list's number. RFC 5280, 5.
 * @throws {PkiError} 'argument_invalid', 'unsupported', 'key_mismatch' when the signer's key is not the authority's.
 */
export async function issueCrl(input: CrlInput, authority: Authority): Promise<CertificateRevocationList> {
  const { crlNumber, thisUpdateMs, nextUpdateMs, revoked } = input;
  if (crlNumber < 0n || crlNumber > MAX_NUMBER) {
    throw new PkiError('argument_invalid', `expected a list number from 0 to 2^159-1, found ${crlNumber}`);
  }
  if (nextUpdateMs < thisUpdateMs) {
    throw new PkiError('argument_invalid', 'expected nextUpdate not to be before thisUpdate');
  }
  const issuer = issuerOf(authority);
  const algorithm = encodeSignatureAlgorithm(issuer.signer.scheme);
  const identifier = encodeSequence(encodeElement(contextTag(0, 'primitive'), issuer.identifier));
  const extensions = encodeSequence(
    encodeExtension(OID.authorityKeyIdentifier, false, identifier),
    encodeExtension(OID.crlNumber, false, encodeInteger(crlNumber)),
  );
  const tbs = encodeSequence(
    encodeInteger(1n),
    algorithm,
    issuer.name,
    encodeTime(thisUpdateMs),
    encodeTime(nextUpdateMs),
    ...(revoked.length === 0 ? [] : [encodeList(revoked)]),
    encodeElement(contextTag(0, 'constructed'), extensions),
  );
  const signature = await signWith(issuer.signer, tbs);
  return decodeCrl(encodeSequence(tbs, algorithm, encodeBitString(signature)));
}

/** One list in PEM. RFC 7468, 6. */
export function formatCrl(crl: CertificateRevocationList): string {
  return formatPem('X509 CRL', crl.bytes);
}

/** In groups: a call takes some tens of thousands of arguments, and a list may be longer. */
function encodeList(revoked: readonly RevokedCertificate[]): Uint8Array {
  const groups: Uint8Array[] = [];
  for (let at = 0; at < revoked.length; at += GROUP) {
    groups.push(concatBytes(...revoked.slice(at, at + GROUP).map(encodeRevoked)));
  }
  return encodeSequence(...groups);
}

function encodeRevoked({ serialNumber, revokedAtMs, reason }: RevokedCertificate): Uint8Array {
  if (serialNumber <= 0n || serialNumber > MAX_NUMBER) {
    throw new PkiError('argument_invalid', `expected a serial number from 1 to 2^159-1, found ${serialNumber}`);
  }
  // RFC 5280, 5.3.1: 'unspecified' is said by saying nothing.
  const said = reason === undefined || reason === 'unspecified' ? [] : [encodeSequence(encodeReason(reason))];
  return encodeSequence(encodeInteger(serialNumber), encodeTime(revokedAtMs), ...said);
}

function encodeReason(reason: CrlReason): Uint8Array {
  const number = CRL_REASON_NUMBERS.find(([name]) => name === reason)?.[1] ?? 0;
  return encodeExtension(OID.crlReason, false, encodeElement(TAG.enumerated, Uint8Array.of(number)));
}
