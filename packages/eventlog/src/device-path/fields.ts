// SPDX-License-Identifier: Apache-2.0
import { CodecError, decode, guid, rest, utf16le } from '@vouchsafe/codec';

/** Reads the fields of one node in order. All of them are little-endian unless said otherwise. */
export class NodeFields {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.left) throw new CodecError('truncated', at, `needs ${size} bytes, ${this.left} left`);
    this.#at += size;
    return at;
  }

  skip(size: number): void {
    this.#take(size);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  guid(): string {
    return decode(guid, this.bytes(16));
  }

  /** UTF-16LE up to its NUL, which may be missing at the end of the node. */
  utf16(): string {
    const text = decode(utf16le(rest), this.rest());
    const nul = text.indexOf('\0');
    return nul < 0 ? text : text.slice(0, nul);
  }

  /** Up to a NUL or the end, one byte a character. */
  latin1(): string {
    const bytes = this.rest();
    const nul = bytes.indexOf(0);
    return String.fromCharCode(...(nul < 0 ? bytes : bytes.subarray(0, nul)));
  }
}
