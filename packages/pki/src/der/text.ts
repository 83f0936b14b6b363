// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { PkiError } from '../error.ts';
import type { DerElement } from './element.ts';
import { TAG } from './tag.ts';

/** Octets of one string; names and messages are far shorter. */
const MAX_STRING_BYTES = 4096;

/** X.680, 41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/**
 * The characters of one of ASN.1's string types; undefined for an element of another type.
 *
 * PrintableString is read as ASCII, because certificates with '@' or '*' in one are common; whoever compares names
 * compares their bytes. TeletexString is read as Latin-1, as everybody writes it.
 * @throws {PkiError} 'der_value' when the contents are not text of that type, 'der_limit'.
 */
export function decodeText(element: DerElement): string | undefined {
  const { contents, tag, path, offset } = element;
  if (contents.length > MAX_STRING_BYTES) {
    throw new PkiError('der_limit', `expected text of at most ${MAX_STRING_BYTES} octets, found ${contents.length}`, {
      path,
      offset,
    });
  }
  switch (tag) {
    case TAG.utf8String:
      try {
        return parseUtf8(contents);
      } catch (cause) {
        if (!(cause instanceof TextError)) throw cause;
        throw new PkiError('der_value', 'expected UTF-8', { path, offset, cause });
      }
    case TAG.printableString:
    case TAG.numericString:
    case TAG.ia5String:
    case TAG.visibleString:
      if (contents.some((byte) => byte > 0x7f)) throw new PkiError('der_value', 'expected ASCII', { path, offset });
      return characters(element, 1);
    case TAG.teletexString:
      return characters(element, 1);
    case TAG.bmpString:
      return characters(element, 2);
    case TAG.universalString:
      return characters(element, 4);
    default:
      return undefined;
  }
}

/** True for text that PrintableString can hold. */
export function isPrintableString(text: string): boolean {
  return PRINTABLE.test(text);
}

/** Characters of `width` octets each, big-endian. X.690, 8.23. */
function characters({ contents, path, offset }: DerElement, width: 1 | 2 | 4): string {
  if (contents.length % width !== 0) {
    throw new PkiError('der_value', `expected a multiple of ${width} octets, found ${contents.length}`, {
      path,
      offset,
    });
  }
  let text = '';
  for (let i = 0; i < contents.length; i += width) {
    let point = 0;
    for (let k = 0; k < width; k++) point = point * 256 + (contents[i + k] ?? 0);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw new PkiError('der_value', `expected a Unicode character, found 0x${point.toString(16)}`, { path, offset });
    }
    text += String.fromCodePoint(point);
  }
  return text;
}
