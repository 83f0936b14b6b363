// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { PkiError } from '../error.ts';
import { compareSetElements } from './set-order.ts';
import { TAG } from './tag.ts';

/** One element: identifier octet, shortest length, contents. X.690, 8.1.3 and 10.1. */
export function encodeElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of contents) length += part.length;
  const lengthBytes = sizeOfLength(length);
  const element = new Uint8Array(1 + lengthBytes + length);
  element[0] = tag;
  if (lengthBytes === 1) element[1] = length;
  else {
    element[1] = 0x80 | (lengthBytes - 1);
    for (let at = lengthBytes, rest = length; at > 1; at--, rest = Math.floor(rest / 256)) element[at] = rest % 256;
  }
  let at = 1 + lengthBytes;
  for (const part of contents) {
    element.set(part, at);
    at += part.length;
  }
  return element;
}

/** Octets of a length: itself below 128, else a number of octets and these. X.690, 8.1.3. */
function sizeOfLength(length: number): number {
  if (length < 0x80) return 1;
  let size = 1;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size++;
  return size;
}

export function encodeSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return encodeElement(TAG.sequence, ...elements);
}

/** A SET OF, its elements in the order of X.690, 11.6. */
export function encodeSetOf(elements: readonly Uint8Array[], tag: number = TAG.set): Uint8Array {
  return encodeElement(tag, ...elements.toSorted(compareSetElements));
}

/** Two's complement in the fewest octets. X.690, 8.3. */
export function encodeInteger(value: bigint): Uint8Array {
  // Of a negative number the octets of its complement, inverted: the sign bit comes out right in both.
  const flip = value < 0n ? 0xff : 0x00;
  const digits = (value < 0n ? ~value : value).toString(16);
  const size = (digits.length + 1) >> 1;
  // An octet more where the highest bit would say the other sign.
  const first = digits.length % 2 === 0 && digits.charCodeAt(0) > 0x37 ? 1 : 0;
  const octets = new Uint8Array(first + size);
  octets[0] = flip;
  for (let at = first + size - 1, end = digits.length; end > 0; at--, end -= 2) {
    octets[at] = Number.parseInt(digits.slice(Math.max(0, end - 2), end), 16) ^ flip;
  }
  return encodeElement(TAG.integer, octets);
}

export function encodeBoolean(value: boolean): Uint8Array {
  return encodeElement(TAG.boolean, Uint8Array.of(value ? 0xff : 0x00));
}

export function encodeNull(): Uint8Array {
  return encodeElement(TAG.null);
}

export function encodeOctetString(bytes: Uint8Array): Uint8Array {
  return encodeElement(TAG.octetString, bytes);
}

/** A BIT STRING of whole octets. */
export function encodeBitString(bytes: Uint8Array): Uint8Array {
  return encodeElement(TAG.bitString, Uint8Array.of(0), bytes);
}

/**
 * A BIT STRING of named bits without trailing zero bits. X.690, 11.2.2.
 * @param bits numbers of the bits that are set; bit 0 is the first.
 */
export function encodeNamedBits(bits: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...bits);
  const bytes = new Uint8Array(Math.ceil((highest + 1) / 8));
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return encodeElement(TAG.bitString, Uint8Array.of(bytes.length * 8 - (highest + 1)), bytes);
}

export function encodeUtf8String(text: string): Uint8Array {
  return encodeElement(TAG.utf8String, utf8(text));
}

/** Identifiers come from tables and are few; each certificate has a dozen. */
const MAX_OIDS = 256;
const oids = new Map<string, Uint8Array>();

/**
 * X.690, 8.19.
 * @param oid arcs in decimal, with dots.
 * @returns octets of the caller's own
 * @throws {PkiError} 'argument_invalid'.
 */
export function encodeOid(oid: string): Uint8Array {
  const known = oids.get(oid);
  if (known !== undefined) return known.slice();
  const element = encodeArcs(oid);
  if (oids.size < MAX_OIDS) oids.set(oid, element.slice());
  return element;
}

function encodeArcs(oid: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9][0-9]{0,38}))+$/.test(oid)) {
    throw new PkiError('argument_invalid', `expected an object identifier such as 1.2.840, found '${oid}'`);
  }
  const [first = 0n, second = 0n, ...rest] = oid.split('.').map(BigInt);
  if (first < 2n && second >= 40n) {
    throw new PkiError('argument_invalid', `expected a second arc below 40 in '${oid}'`);
  }
  const octets = [first * 40n + second, ...rest].flatMap((arc) => {
    const groups = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.unshift(Number(left & 0x7fn) | 0x80);
    return groups;
  });
  return encodeElement(TAG.oid, Uint8Array.from(octets));
}
