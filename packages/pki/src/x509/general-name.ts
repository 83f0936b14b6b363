// SPDX-License-Identifier: Apache-2.0
import type { DerElement } from '../der/element.ts';
import type { DerReader } from '../der/reader.ts';
import { contextTag } from '../der/tag.ts';
import { type Name, readName } from './name.ts';

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
