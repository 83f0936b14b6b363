// SPDX-License-Identifier: Apache-2.0
/**
 * As much of DER as keys and signatures need; package `pki`, which is above this one, has the whole. ITU-T X.690.
 *
 * Nothing here throws: what DER forbids comes back as undefined, since a malformed signature is a wrong signature while
 * a malformed key is an error, and only the caller knows which of the two it holds.
 */

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;

/** Reads elements one after the other; each must carry the tag that is asked for. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when every octet has been read: trailing octets are never ignored. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** True when the next element has this tag. */
  isNext(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** The content of the next element, a view; undefined if it has another tag, is cut short or is not DER. */
  read(tag: number): Uint8Array | undefined {
    if (!this.isNext(tag)) return undefined;
    const first = this.#bytes[this.#at + 1];
    if (first === undefined) return undefined;
    let start = this.#at + 2;
    let length = first;
    if (first >= 0x80) {
      // Two octets of length reach 65,535, far above any key that is taken; 0x80 would be the indefinite form.
      const count = first - 0x80;
      if (count < 1 || count > 2) return undefined;
      length = 0;
      for (let i = 0; i < count; i++) {
        const octet = this.#bytes[start + i];
        if (octet === undefined) return undefined;
        length = length * 256 + octet;
      }
      start += count;
      // X.690, section 10.1: the length takes the fewest octets that hold it.
      if (length < 0x80 || (count === 2 && length < 0x100)) return undefined;
    }
    const end = start + length;
    if (end > this.#bytes.length) return undefined;
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** A reader of the next element's content. */
  enter(tag: number): DerReader | undefined {
    const content = this.read(tag);
    return content && new DerReader(content);
  }

  /**
   * Magnitude of the next element, an INTEGER of zero or more, big-endian without leading zeros (zero is no octets);
   * undefined if it is negative or longer than it need be (X.690, section 8.3.2).
   */
  readUnsigned(): Uint8Array | undefined {
    const content = this.read(INTEGER);
    const [first, second] = content ?? [];
    if (content === undefined || first === undefined || first >= 0x80) return undefined;
    if (first !== 0) return content;
    if (second !== undefined && second < 0x80) return undefined;
    return content.subarray(1);
  }
}

/** Length of an unsigned big-endian number that has no leading zero octets, in bits. */
export function bitLength(magnitude: Uint8Array): number {
  const [first] = magnitude;
  return first === undefined ? 0 : 8 * magnitude.length - (Math.clz32(first) - 24);
}
