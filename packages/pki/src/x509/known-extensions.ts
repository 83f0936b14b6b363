// SPDX-License-Identifier: Apache-2.0
import { decodeBitString, decodeInteger } from '../der/primitive.ts';
import type { DerReader } from '../der/reader.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { OID } from '../oid.ts';
import { type Extension, readDefaultFalse } from './extension.ts';
import { type GeneralName, readGeneralNames } from './general-name.ts';

/** KeyUsage's bits in their order. RFC 5280, 4.2.1.3. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

/** Purposes in one ExtKeyUsageSyntax. */
const MAX_PURPOSES = 64;
const MAX_KEY_IDENTIFIER_BYTES = 64;
/** Certification path lengths beyond this are a mistake. */
const MAX_PATH_LENGTH = 255n;

/** RFC 5280, 4.2.1.9. */
export interface BasicConstraints {
  readonly isCa: boolean;
  /** How many intermediate authorities may follow; no limit when undefined. */
  readonly pathLength: number | undefined;
}

/** RFC 5280, 4.2.1.1. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly issuer: readonly GeneralName[] | undefined;
  /** Contents of the INTEGER, as it stands in the issuer's own certificate. */
  readonly serialBytes: Uint8Array | undefined;
}

/** Extensions of a certificate: all of them as they came, and the meaning of those that are known here. */
export interface CertificateExtensions {
  readonly all: readonly Extension[];
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** Object identifiers of the purposes. RFC 5280, 4.2.1.12. */
  readonly extKeyUsage: readonly string[] | undefined;
  /** RFC 5280, 4.2.1.2. */
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  /** RFC 5280, 4.2.1.6. */
  readonly subjectAltName: readonly GeneralName[] | undefined;
}

/**
 * Decodes those that are known here; the others are for the caller, who must refuse critical ones that it does not know.
 * @throws {PkiError} 'der_…' for a known extension whose value is malformed.
 */
export function decodeKnownExtensions(all: readonly Extension[], outer: DerReader): CertificateExtensions {
  const find = <Value>(oid: string, decode: (reader: DerReader) => Value): Value | undefined => {
    const value = all.find((extension) => extension.oid === oid)?.value;
    if (value === undefined) return undefined;
    const reader = outer.enterString(value);
    const decoded = decode(reader);
    reader.end();
    return decoded;
  };
  return {
    all,
    basicConstraints: find(OID.basicConstraints, readBasicConstraints),
    keyUsage: find(OID.keyUsage, readKeyUsage),
    extKeyUsage: find(OID.extKeyUsage, readExtKeyUsage),
    subjectKeyIdentifier: find(OID.subjectKeyIdentifier, (reader) =>
      keyIdentifier(reader, 'keyIdentifier', TAG.octetString),
    ),
    authorityKeyIdentifier: find(OID.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    subjectAltName: find(OID.subjectAltName, (reader) => readGeneralNames(reader.readSequence('GeneralNames'))),
  };
}

function readBasicConstraints(reader: DerReader): BasicConstraints {
  const sequence = reader.readSequence('BasicConstraints');
  const isCa = readDefaultFalse(sequence, 'cA');
  const pathLength = sequence.isAtEnd ? undefined : sequence.readInteger('pathLenConstraint');
  sequence.end();
  if (pathLength !== undefined && (pathLength < 0n || pathLength > MAX_PATH_LENGTH)) {
    const message = `expected 0 to ${MAX_PATH_LENGTH}, found ${pathLength}`;
    throw sequence.error('der_value', 'pathLenConstraint', message, sequence.element);
  }
  return { isCa, pathLength: pathLength === undefined ? undefined : Number(pathLength) };
}

function readKeyUsage(reader: DerReader): ReadonlySet<KeyUsage> {
  const { bytes } = decodeBitString(reader.read('KeyUsage', TAG.bitString));
  const isSet = (bit: number): boolean => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
  return new Set(KEY_USAGES.filter((_, bit) => isSet(bit)));
}

function readExtKeyUsage(reader: DerReader): string[] {
  const sequence = reader.readSequence('ExtKeyUsageSyntax');
  const purposes: string[] = [];
  while (!sequence.isAtEnd) {
    const field = String(purposes.length);
    if (purposes.length === MAX_PURPOSES)
      throw sequence.error('der_limit', field, `expected at most ${MAX_PURPOSES} purposes, found more`);
    purposes.push(sequence.readOid(field));
  }
  return purposes;
}

function readAuthorityKeyIdentifier(reader: DerReader): AuthorityKeyIdentifier {
  const sequence = reader.readSequence('AuthorityKeyIdentifier');
  const has = (number: number, form: 'primitive' | 'constructed'): boolean =>
    sequence.nextTag === contextTag(number, form);
  const identifier = has(0, 'primitive')
    ? keyIdentifier(sequence, 'keyIdentifier', contextTag(0, 'primitive'))
    : undefined;
  const issuer = has(1, 'constructed')
    ? readGeneralNames(sequence.readSequence('authorityCertIssuer', contextTag(1, 'constructed')))
    : undefined;
  const serial = sequence.readOptional('authorityCertSerialNumber', contextTag(2, 'primitive'));
  sequence.end();
  if (serial !== undefined) decodeInteger(serial);
  return { keyIdentifier: identifier, issuer, serialBytes: serial?.contents };
}

function keyIdentifier(reader: DerReader, field: string, tag: number): Uint8Array {
  const element = reader.read(field, tag);
  const { length } = element.contents;
  if (length > MAX_KEY_IDENTIFIER_BYTES) {
    throw reader.error(
      'der_limit',
      field,
      `expected at most ${MAX_KEY_IDENTIFIER_BYTES} octets, found ${length}`,
      element,
    );
  }
  return element.contents;
}
