// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import type { DerElement } from '../der/element.ts';
import type { DerReader } from '../der/reader.ts';
import { contextTag } from '../der/tag.ts';
import { encodeElement, encodeOid, encodeSequence, encodeUtf8String } from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';
import { encodeName, type Name, readName } from './name.ts';

/** Names in one GeneralNames. */
const MAX_NAMES = 256;

/** GeneralName. RFC 5280, 4.2.1.6. Forms that nothing here reads are kept as elements. */
export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  /** 4 or 16 octets; as a constraint, twice that. */
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'directory'; readonly name: Name }
  | { readonly kind: 'other'; readonly element: DerElement };

const TEXT_KINDS = new Map<number, 'email' | 'dns' | 'uri'>([
  [contextTag(1, 'primitive'), 'email'],
  [contextTag(2, 'primitive'), 'dns'],
  [contextTag(6, 'primitive'), 'uri'],
]);
/** OtherName, and its value: RFC 5280, 4.2.1.6. */
const OTHER_NAME = contextTag(0, 'constructed');
const OTHER_VALUE = contextTag(0, 'constructed');
const DIRECTORY_NAME = contextTag(4, 'constructed');
const IP_ADDRESS = contextTag(7, 'primitive');

/** The elements of GeneralNames. */
export function readGeneralNames(names: DerReader): GeneralName[] {
  return names.rest(MAX_NAMES).map((element): GeneralName => {
    const kind = TEXT_KINDS.get(element.tag);
    if (kind !== undefined) return { kind, text: ia5Text(names, element) };
    if (element.tag === IP_ADDRESS) return { kind: 'ip', address: element.contents };
    if (element.tag !== DIRECTORY_NAME) return { kind: 'other', element };
    // Name is a CHOICE, so its tag [4] is explicit: X.680, 31.2.7.
    const inner = names.enter(element);
    const name = readName(inner, 'directoryName');
    inner.end();
    return { kind: 'directory', name };
  });
}

function ia5Text(names: DerReader, element: DerElement): string {
  if (element.contents.length > 4096 || element.contents.some((byte) => byte > 0x7f)) {
    throw names.error('der_value', 'IA5String', 'expected at most 4096 octets of ASCII', element);
  }
  return String.fromCharCode(...element.contents);
}

/** A name to write: text of ASCII, an address of 4 or 16 octets, or a directory name's attributes. */
export type NameToEncode =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | {
      readonly kind: 'directory';
      /** The most general first. */
      readonly attributes: readonly { readonly oid: string; readonly text: string }[];
    }
  /** A device's own name, whoever gave it. RFC 4043, 2; what ACME's device-attest-01 goes by. */
  | { readonly kind: 'permanent'; readonly identifier: string };

/**
 * GeneralNames.
 * @throws {PkiError} 'argument_invalid'.
 */
export function encodeGeneralNames(names: readonly NameToEncode[]): Uint8Array {
  if (names.length > MAX_NAMES) {
    throw new PkiError('argument_invalid', `expected at most ${MAX_NAMES} names, found ${names.length}`);
  }
  return encodeSequence(...names.map(encodeGeneralName));
}

function encodeGeneralName(name: NameToEncode): Uint8Array {
  if (name.kind === 'directory') return encodeElement(DIRECTORY_NAME, encodeName(name.attributes));
  if (name.kind === 'permanent') {
    const identifier = encodeSequence(encodeUtf8String(name.identifier));
    return encodeElement(OTHER_NAME, encodeOid(OID.permanentIdentifier), encodeElement(OTHER_VALUE, identifier));
  }
  if (name.kind === 'ip') {
    if (name.address.length !== 4 && name.address.length !== 16) {
      throw new PkiError('argument_invalid', `expected an address of 4 or 16 octets, found ${name.address.length}`);
    }
    return encodeElement(IP_ADDRESS, name.address);
  }
  // Printable ASCII: a zero or a line's end in a name is an old way to make two readers see two names.
  if (!/^[\x21-\x7e]{1,4096}$/.test(name.text)) {
    throw new PkiError('argument_invalid', `expected 1 to 4096 printable characters for a ${name.kind} name`);
  }
  const tag = [...TEXT_KINDS].find(([, kind]) => kind === name.kind)?.[0] ?? 0;
  return encodeElement(tag, ascii(name.text));
}
