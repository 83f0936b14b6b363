// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { PublicKey } from '@vouchsafe/crypto';
import { type AlgorithmIdentifier, readAlgorithm } from '../algorithm.ts';
import { decodeInteger, decodeOctetBits } from '../der/primitive.ts';
import { type DerReader, openDerSequence } from '../der/reader.ts';
import { type DerRules, STRICT_DER } from '../der/rules.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { decodeTime } from '../der/time.ts';
import { OID } from '../oid.ts';
import { isSignatureBy } from '../public-key.ts';
import { schemeOf } from '../signature-algorithm.ts';
import { type Extension, readExtensions } from '../x509/extension.ts';
import { type Name, readName } from '../x509/name.ts';
import { CRL_REASON_NUMBERS, type CrlReason } from './reason.ts';

/** Entries of one list. A fleet of a million whose certificates were all revoked at once. */
const MAX_REVOKED = 1_000_000;
/** Octets of a serial number and of a list's number. RFC 5280, 4.1.2.2 and 5.2.3, allow 20. */
const MAX_NUMBER_BYTES = 20;

/** DER, with room for MAX_REVOKED entries of some 40 octets. */
const CRL_DER: DerRules = { ...STRICT_DER, maxSizeBytes: 64 * 1024 * 1024, maxElements: 8 * MAX_REVOKED };

/** One of revokedCertificates. RFC 5280, 5.1.2.6. */
export interface RevokedCertificate {
  readonly serialNumber: bigint;
  /** Milliseconds since 1970, UTC. */
  readonly revokedAtMs: number;
  /** Absent when nothing is said, which is how 'unspecified' is to be said (RFC 5280, 5.3.1). */
  readonly reason?: CrlReason;
}

/** CertificateList. RFC 5280, 5.1. Nothing here says that it is signed, new enough or the one that counts. */
export interface CertificateRevocationList {
  readonly bytes: Uint8Array;
  /** What the issuer signed. */
  readonly tbsBytes: Uint8Array;
  readonly issuer: Name;
  readonly thisUpdateMs: number;
  /** RFC 5280, 5.1.2.5, wants it always; lists without one exist. */
  readonly nextUpdateMs: number | undefined;
  readonly revoked: readonly RevokedCertificate[];
  /** Grows with each list of an issuer: RFC 5280, 5.2.3. */
  readonly crlNumber: bigint | undefined;
  /** All of them. A list with a critical one that its reader does not know must not be used (RFC 5280, 5.2). */
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

/**
 * One certificate revocation list in DER, version 2. The arrays in the result are views of the input. Indirect lists, whose
 * entries are another issuer's certificates, are refused.
 * @throws {PkiError} 'der_…' with path and offset, 'crl_malformed', 'unsupported'
 */
export function decodeCrl(bytes: Uint8Array): CertificateRevocationList {
  const list = openDerSequence(bytes, 'CertificateList', CRL_DER);
  const tbs = list.readSequence('tbsCertList');
  // RFC 5280, 5.1.2.1: 1 stands for version 2, and there is no other with extensions.
  const version = tbs.nextTag === TAG.integer ? tbs.readInteger('version') : 0n;
  if (version !== 1n) throw tbs.error('unsupported', 'version', `expected version 2, found ${version + 1n}`);
  const innerAlgorithm = readAlgorithm(tbs, 'signature');
  const issuer = readName(tbs, 'issuer');
  const thisUpdateMs = decodeTime(tbs.read('thisUpdate'));
  const nextUpdateMs = isTime(tbs.nextTag) ? decodeTime(tbs.read('nextUpdate')) : undefined;
  const revoked = tbs.nextTag === TAG.sequence ? readRevoked(tbs.readSequence('revokedCertificates')) : [];
  const extensions = readListExtensions(tbs);
  tbs.end();
  const signatureAlgorithm = readAlgorithm(list, 'signatureAlgorithm');
  const signature = decodeOctetBits(list.read('signatureValue', TAG.bitString));
  list.end();
  // RFC 5280, 5.1.1.2: as in certificates, the outer field is not signed.
  if (!bytesEqual(innerAlgorithm.element.bytes, signatureAlgorithm.element.bytes)) {
    const message = 'expected the same algorithm as in tbsCertList.signature';
    throw list.error('crl_malformed', 'signatureAlgorithm', message, signatureAlgorithm.element);
  }
  return {
    bytes: list.element.bytes,
    tbsBytes: tbs.element.bytes,
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    revoked,
    crlNumber: crlNumberOf(extensions, tbs),
    extensions,
    signatureAlgorithm,
    signature,
  };
}

/**
 * Whether the key signed the list (RFC 5280, 6.3.3 (g)), and nothing else: not whether its issuer is the certificate's, nor
 * whether it is new enough.
 * @throws {PkiError} 'unsupported' for an algorithm that is not known here.
 */
export function isCrlSignedBy(crl: CertificateRevocationList, issuerKey: PublicKey): boolean {
  return isSignatureBy(issuerKey, schemeOf(crl.signatureAlgorithm), crl.tbsBytes, crl.signature);
}

const isTime = (tag: number | undefined): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;

function readRevoked(list: DerReader): RevokedCertificate[] {
  const revoked: RevokedCertificate[] = [];
  while (!list.isAtEnd) {
    const field = String(revoked.length);
    if (revoked.length === MAX_REVOKED) {
      throw list.error('der_limit', field, `expected at most ${MAX_REVOKED} certificates, found more`);
    }
    const entry = list.readSequence(field);
    const serialNumber = readNumber(entry, 'userCertificate');
    const revokedAtMs = decodeTime(entry.read('revocationDate'));
    const reason = entry.isAtEnd ? undefined : reasonOf(entry.readSequence('crlEntryExtensions'));
    entry.end();
    revoked.push({ serialNumber, revokedAtMs, ...(reason === undefined ? {} : { reason }) });
  }
  // RFC 5280, 5.1.2.6: without entries the field is left out, so that one list has one encoding.
  if (revoked.length === 0) {
    throw list.error('crl_malformed', 'revokedCertificates', 'expected an entry, or no such field', list.element);
  }
  return revoked;
}

/** The reason, when one is given. A critical extension of an entry that is not known here refuses the list: 5.3. */
function reasonOf(list: DerReader): CrlReason | undefined {
  let reason: CrlReason | undefined;
  for (const { oid, critical, value } of readExtensions(list)) {
    if (oid !== OID.crlReason) {
      if (critical) throw list.error('unsupported', oid, 'expected no critical extension but the reason', value);
      continue;
    }
    const inner = list.enterString(value);
    const element = inner.read('CRLReason', TAG.enumerated);
    inner.end();
    const [number, ...more] = element.contents;
    reason = CRL_REASON_NUMBERS.find(([, value]) => value === number)?.[0];
    if (reason === undefined || more.length > 0) {
      throw inner.error('der_value', 'CRLReason', 'expected a reason of RFC 5280, 5.3.1', element);
    }
  }
  return reason;
}

function readListExtensions(tbs: DerReader): Extension[] {
  const element = tbs.readOptional('crlExtensions', contextTag(0, 'constructed'));
  if (element === undefined) return [];
  const outer = tbs.enter(element);
  const extensions = readExtensions(outer.readSequence('Extensions'));
  outer.end();
  return extensions;
}

function crlNumberOf(extensions: readonly Extension[], outer: DerReader): bigint | undefined {
  const extension = extensions.find(({ oid }) => oid === OID.crlNumber);
  if (extension === undefined) return undefined;
  const reader = outer.enterString(extension.value);
  const number = readNumber(reader, 'CRLNumber');
  reader.end();
  return number;
}

function readNumber(reader: DerReader, field: string): bigint {
  const element = reader.read(field, TAG.integer);
  if (element.contents.length > MAX_NUMBER_BYTES) {
    const message = `expected at most ${MAX_NUMBER_BYTES} octets, found ${element.contents.length}`;
    throw reader.error('der_limit', field, message, element);
  }
  return decodeInteger(element);
}
