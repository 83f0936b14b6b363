// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, Reader } from '@vouchsafe/codec';

/** Major types of RFC 8949, section 3.1, as far as canonical logs use them. */
const MAJOR = { unsigned: 0, bytes: 2, text: 3, array: 4, map: 5 } as const;
type Major = keyof typeof MAJOR;

/** Levels of content that is passed over. */
const MAX_DEPTH = 8;

/**
 * Reads the items of RFC 8949 that a canonical log is made of: unsigned numbers, strings, arrays and maps of a definite
 * length, in their shortest form (section 4.2.1).
 */
export class CborReader extends Reader {
  /** The major type of the next item. @throws {CodecError} 'truncated' */
  peek(): number {
    if (this.pos >= this.end) throw new CodecError('truncated', this.pos, 'needs 1 bytes, 0 left');
    return (this.bytes[this.pos] as number) >>> 5;
  }

  /** The head of an item of that type: the number, the length or the count. */
  #head(major: Major): bigint {
    const at = this.take(1);
    const head = this.view.getUint8(at);
    if (head >>> 5 !== MAJOR[major])
      throw new CodecError('mismatch', at, `expected CBOR ${major}, found 0x${head.toString(16)}`);
    return this.#argument(head & 0x1f, at);
  }

  #argument(info: number, at: number): bigint {
    if (info < 24) return BigInt(info);
    const size = { 24: 1, 25: 2, 26: 4, 27: 8 }[info];
    if (size === undefined) throw new CodecError('invalid', at, 'expected a definite length');
    let value = 0n;
    const start = this.take(size);
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.view.getUint8(start + i));
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (value < least) throw new CodecError('invalid', at, 'expected the shortest form of a number');
    return value;
  }

  #count(major: Major, max: number): number {
    const at = this.pos;
    const count = this.#head(major);
    if (count > BigInt(max)) throw new CodecError('limit', at, `${count} exceeds ${max}`);
    return Number(count);
  }

  unsigned(): bigint {
    return this.#head('unsigned');
  }

  /** @throws {CodecError} 'limit' above `max` */
  small(max: number): number {
    return this.#count('unsigned', max);
  }

  byteString(max: number): Uint8Array {
    return this.takeBytes(this.#count('bytes', max));
  }

  text(max: number): string {
    const at = this.pos;
    try {
      return parseUtf8(this.takeBytes(this.#count('text', max)));
    } catch (error) {
      if (error instanceof TextError) throw new CodecError('invalid', at, error.message);
      throw error;
    }
  }

  /** How many items follow. */
  array(max: number): number {
    return this.#count('array', max);
  }

  /** How many pairs follow. */
  map(max: number): number {
    return this.#count('map', max);
  }

  /** The key of the next pair, which must be that number. */
  key(expected: number, name: string): void {
    const at = this.pos;
    const found = this.unsigned();
    if (found !== BigInt(expected))
      throw new CodecError('mismatch', at, `expected ${name} (${expected}), found key ${found}`);
  }

  /** The octets of the next item, whatever it is. */
  item(max: number): Uint8Array {
    const start = this.pos;
    this.#skip(0);
    if (this.pos - start > max) throw new CodecError('limit', start, `an item of more than ${max} octets`);
    return this.bytes.subarray(start, this.pos);
  }

  #skip(depth: number): void {
    const at = this.pos;
    if (depth > MAX_DEPTH) throw new CodecError('limit', at, `more than ${MAX_DEPTH} levels`);
    const head = this.view.getUint8(this.take(1));
    const argument = this.#argument(head & 0x1f, at);
    const major = head >>> 5;
    if (major === MAJOR.bytes || major === MAJOR.text) {
      if (argument > BigInt(this.end - this.pos)) throw new CodecError('truncated', at, 'a string beyond the end');
      this.take(Number(argument));
    } else if (major === MAJOR.array || major === MAJOR.map) {
      const items = argument * (major === MAJOR.map ? 2n : 1n);
      for (let i = 0n; i < items; i++) this.#skip(depth + 1);
    } else if (major === 6) this.#skip(depth + 1);
  }
}
