// SPDX-License-Identifier: Apache-2.0
import { PkiError } from '../error.ts';
import type { DerElement } from './element.ts';

/** Octets of an INTEGER: an RSA modulus of 16384 bits and its sign. */
const MAX_INTEGER_BYTES = 2049;
/** Octets of an OBJECT IDENTIFIER. */
const MAX_OID_BYTES = 64;
/** X.690, 8.19: arcs beyond this many bits exist only as UUIDs (2.25), which need 128. */
const MAX_ARC_OCTETS = 19;

export interface BitString {
  readonly bytes: Uint8Array;
  /** How many of the last octet's low bits do not count, 0 to 7. */
  readonly unusedBits: number;
}

/** The decoders below take an element whose tag was checked, or stands in for the type by an IMPLICIT tag. */
function invalid(element: DerElement, message: string): PkiError {
  return new PkiError('der_value', message, { path: element.path, offset: element.offset });
}

/** X.690, 8.2 and 11.1. */
export function decodeBoolean(element: DerElement): boolean {
  const [value] = element.contents;
  if (value === undefined || element.contents.length !== 1) throw invalid(element, 'expected a BOOLEAN of one octet');
  if (value !== 0 && value !== 0xff) {
    throw invalid(element, `expected TRUE as 0xff, found 0x${value.toString(16)}`);
  }
  return value !== 0;
}

/** Two's complement, big-endian. X.690, 8.3. */
export function decodeInteger(element: DerElement): bigint {
  const { contents } = element;
  const [first, second] = contents;
  if (first === undefined) throw invalid(element, 'expected an INTEGER of one octet or more, found none');
  if (contents.length > MAX_INTEGER_BYTES) {
    throw new PkiError(
      'der_limit',
      `expected an INTEGER of at most ${MAX_INTEGER_BYTES} octets, found ${contents.length}`,
      {
        path: element.path,
        offset: element.offset,
      },
    );
  }
  // X.690, 8.3.2: two spellings of one serial number would escape comparison.
  const superfluous = second !== undefined && first === (second < 0x80 ? 0x00 : 0xff);
  if (superfluous) throw invalid(element, 'expected the shortest form of an INTEGER');
  let value = 0n;
  for (let i = 0; i < contents.length; i += 6) {
    const part = contents.subarray(i, i + 6);
    let number = 0;
    for (const byte of part) number = number * 256 + byte;
    value = (value << BigInt(8 * part.length)) | BigInt(number);
  }
  return first >= 0x80 ? value - (1n << BigInt(8 * contents.length)) : value;
}

/** Arcs in decimal, with dots. X.690, 8.19. */
export function decodeOid(element: DerElement): string {
  const { contents } = element;
  if (contents.length === 0 || contents.length > MAX_OID_BYTES) {
    throw invalid(element, `expected an OBJECT IDENTIFIER of 1 to ${MAX_OID_BYTES} octets, found ${contents.length}`);
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  let octets = 0;
  for (const byte of contents) {
    // X.690, 8.19.2: the fewest octets, so no leading 0x80; two spellings of one identifier would escape comparison.
    if (octets === 0 && byte === 0x80) throw invalid(element, 'expected the shortest form of an arc');
    if (++octets > MAX_ARC_OCTETS) throw invalid(element, `expected an arc of at most ${MAX_ARC_OCTETS} octets`);
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
    octets = 0;
  }
  if (octets !== 0) throw invalid(element, 'expected the last arc to end, found the end of the contents');
  const [head = 0n, ...tail] = arcs;
  // X.690, 8.19.4: the first two arcs share a number, 40 * first + second.
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...tail].join('.');
}

/** X.690, 8.6 and 11.2. */
export function decodeBitString(element: DerElement): BitString {
  const [unusedBits] = element.contents;
  const bytes = element.contents.subarray(1);
  if (unusedBits === undefined || unusedBits > 7 || (unusedBits > 0 && bytes.length === 0)) {
    throw invalid(element, 'expected a BIT STRING that begins with its number of unused bits, 0 to 7');
  }
  const last = bytes.at(-1) ?? 0;
  if ((last & ((1 << unusedBits) - 1)) !== 0)
    throw invalid(element, 'expected the unused bits of a BIT STRING to be zero');
  return { bytes, unusedBits };
}

/** A BIT STRING whose bits are octets, as keys and signatures are. */
export function decodeOctetBits(element: DerElement): Uint8Array {
  const { bytes, unusedBits } = decodeBitString(element);
  if (unusedBits !== 0) throw invalid(element, `expected whole octets, found ${unusedBits} unused bits`);
  return bytes;
}

/** X.690, 8.8. */
export function requireNull(element: DerElement): void {
  if (element.contents.length !== 0) throw invalid(element, 'expected NULL without contents');
}
