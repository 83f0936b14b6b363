// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { PkiError } from '../error.ts';
import { compareSetElements } from './set-order.ts';
import { TAG } from './tag.ts';

/** One element: identifier octet, shortest length, contents. X.690, 8.1.3 and 10.1. */
export function encodeElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return concatBytes(Uint8Array.of(tag, ...encodeLength(length)), ...contents);
}

function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
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
  const octets: number[] = [];
  let rest = value;
  do {
    octets.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (rest !== 0n && rest !== -1n);
  const negative = value < 0n;
  if ((octets[0] ?? 0) >= 0x80 !== negative) octets.unshift(negative ? 0xff : 0x00);
  return encodeElement(TAG.integer, Uint8Array.from(octets));
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

/**
 * X.690, 8.19.
 * @param oid arcs in decimal, with dots.
 * @throws {PkiError} 'argument_invalid'.
 */
export function encodeOid(oid: string): Uint8Array {
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
