// SPDX-License-Identifier: Apache-2.0
import { ascii, toHex, utf8 } from '@vouchsafe/base';
import type { DerElement } from '../der/element.ts';
import type { DerReader } from '../der/reader.ts';
import { TAG } from '../der/tag.ts';
import { decodeText, isPrintableString } from '../der/text.ts';
import { encodeElement, encodeOid, encodeSequence, encodeSetOf, encodeUtf8String } from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';

/** RelativeDistinguishedNames in a Name, and attributes in one of them. */
const MAX_RDNS = 64;
const MAX_ATTRIBUTES = 16;

/** AttributeTypeAndValue. RFC 5280, 4.1.2.4. */
export interface NameAttribute {
  readonly oid: string;
  /** The characters; undefined when the value is not a string, or not a valid one. */
  readonly text: string | undefined;
  readonly value: DerElement;
}

/** Name, a sequence of relative distinguished names. RFC 5280, 4.1.2.4. */
export interface Name {
  /** Exact bytes; two names are the same here when these are. */
  readonly bytes: Uint8Array;
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** RFC 4514, most specific first. For people: decisions are made on `bytes`. */
  readonly text: string;
}

/** Short names. RFC 4514, 3; RFC 4519, 2. */
const SHORT_NAMES = new Map<string, string>([
  [OID.commonName, 'CN'],
  [OID.surname, 'sn'],
  [OID.serialNumber, 'serialNumber'],
  [OID.countryName, 'C'],
  [OID.localityName, 'L'],
  [OID.stateOrProvinceName, 'ST'],
  [OID.streetAddress, 'STREET'],
  [OID.organizationName, 'O'],
  [OID.organizationalUnitName, 'OU'],
  [OID.title, 'title'],
  [OID.postalCode, 'postalCode'],
  [OID.givenName, 'givenName'],
  [OID.dnQualifier, 'dnQualifier'],
  [OID.userId, 'UID'],
  [OID.domainComponent, 'DC'],
]);

/** The next Name. */
export function readName(reader: DerReader, field: string, tag: number = TAG.sequence): Name {
  const sequence = reader.readSequence(field, tag);
  const rdns: NameAttribute[][] = [];
  while (!sequence.isAtEnd) {
    if (rdns.length === MAX_RDNS) {
      throw sequence.error('der_limit', String(MAX_RDNS), `expected at most ${MAX_RDNS} relative names, found more`);
    }
    const attributes = sequence.readSetOf(String(rdns.length), MAX_ATTRIBUTES);
    // SET SIZE (1..MAX), RFC 5280, 4.1.2.4.
    if (attributes.length === 0)
      throw sequence.error('der_value', String(rdns.length), 'expected an attribute, found none');
    rdns.push(attributes.map((element) => decodeAttribute(sequence, element)));
  }
  return { bytes: sequence.element.bytes, rdns, text: formatName(rdns) };
}

function decodeAttribute(outer: DerReader, element: DerElement): NameAttribute {
  const sequence = outer.enterSequence(element);
  const oid = sequence.readOid('type');
  const value = sequence.read('value');
  sequence.end();
  return { oid, value, text: textOf(value) };
}

/** A string that is not one is kept as bytes: no decision hangs on it, and vendors put anything into names. */
function textOf(value: DerElement): string | undefined {
  try {
    return decodeText(value);
  } catch (error) {
    if (error instanceof PkiError && error.code === 'der_value') return undefined;
    throw error;
  }
}

/** RFC 4514, 2. */
function formatName(rdns: readonly (readonly NameAttribute[])[]): string {
  return rdns
    .toReversed()
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .join(',');
}

function formatAttribute({ oid, text, value }: NameAttribute): string {
  const name = SHORT_NAMES.get(oid);
  // RFC 4514, 2.4: '#' and the DER in hexadecimal, for types without a short name and values without text.
  if (name === undefined || text === undefined) return `${name ?? oid}=#${toHex(value.bytes)}`;
  return `${name}=${escapeValue(text)}`;
}

/** RFC 4514, 2.4; characters too that break or turn a line, so that a name cannot forge one in a log. */
function escapeValue(text: string): string {
  return text
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<!^\\) $/, '\\ ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\${toHex(utf8(character)).replace(/..(?=.)/g, '$&\\')}`);
}

/**
 * A Name of one attribute each relative name, in the order given: the most general first, as X.500 writes them.
 * Text is UTF8String but for countryName, serialNumber and dnQualifier, which RFC 5280, appendix A, wants printable.
 * @throws {PkiError} 'argument_invalid'.
 */
export function encodeName(attributes: readonly { readonly oid: string; readonly text: string }[]): Uint8Array {
  return encodeSequence(
    ...attributes.map(({ oid, text }) => encodeSetOf([encodeSequence(encodeOid(oid), encodeValue(oid, text))])),
  );
}

function encodeValue(oid: string, text: string): Uint8Array {
  if (text === '') throw new PkiError('argument_invalid', `expected text for the name's attribute ${oid}, found none`);
  if (oid !== OID.countryName && oid !== OID.serialNumber && oid !== OID.dnQualifier) return encodeUtf8String(text);
  if (!isPrintableString(text)) {
    throw new PkiError(
      'argument_invalid',
      `expected letters, digits and plain punctuation for the name's attribute ${oid}`,
    );
  }
  return encodeElement(TAG.printableString, ascii(text));
}
