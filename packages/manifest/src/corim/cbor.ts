// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';

/** What is written here: no floats, no null, nothing of indefinite length. */
export type CborValue = number | string | Uint8Array | readonly CborValue[] | CborMap | CborTag;

/** Pairs in the order given; keys that sort are the caller's business. */
export interface CborMap {
  readonly pairs: readonly (readonly [key: number | string, value: CborValue])[];
}

export interface CborTag {
  readonly tag: number;
  readonly value: CborValue;
}

/** Major types. RFC 8949, section 3.1. */
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const;

/**
 * CBOR with the shortest form of every length and integer, RFC 8949, section 4.2.1; maps are sorted by their encoded keys,
 * as that section has it.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  if (typeof value === 'number') {
    return value < 0 ? head(MAJOR.negative, -1 - value) : head(MAJOR.unsigned, value);
  }
  if (typeof value === 'string') {
    const bytes = utf8(value);
    return concatBytes(head(MAJOR.text, bytes.length), bytes);
  }
  if (value instanceof Uint8Array) return concatBytes(head(MAJOR.bytes, value.length), value);
  if ('pairs' in value) {
    const pairs = value.pairs
      .map(([key, member]) => ({ key: encodeCbor(key), member: encodeCbor(member) }))
      .toSorted((a, b) => compare(a.key, b.key));
    return concatBytes(head(MAJOR.map, pairs.length), ...pairs.flatMap(({ key, member }) => [key, member]));
  }
  if ('tag' in value) return concatBytes(head(MAJOR.tag, value.tag), encodeCbor(value.value));
  return concatBytes(head(MAJOR.array, value.length), ...value.map(encodeCbor));
}

/** Initial octet and argument. RFC 8949, section 3. */
function head(major: number, argument: number): Uint8Array {
  const first = major << 5;
  if (argument < 24) return Uint8Array.of(first | argument);
  if (argument < 0x100) return Uint8Array.of(first | 24, argument);
  if (argument < 0x1_0000) return Uint8Array.of(first | 25, argument >> 8, argument & 0xff);
  const bytes = new Uint8Array(5);
  bytes[0] = first | 26;
  new DataView(bytes.buffer).setUint32(1, argument);
  return bytes;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
