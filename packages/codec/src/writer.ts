// SPDX-License-Identifier: Apache-2.0
import { CodecError } from './error.ts';
import { show } from './show.ts';

/** An append-only buffer that grows; `pos` may be moved back to patch a length that was not known. */
export class Writer {
  #bytes: Uint8Array;
  view: DataView;
  pos = 0;
  /** Where the buffer must grow, or, once an optional field was left out, where its window has to end. */
  #limit: number;
  #closed = false;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.view = new DataView(this.#bytes.buffer);
    this.#limit = capacity;
  }

  /** Octets in the buffer, written or not. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Makes room for `n` bytes and returns where they start. Their content is not defined until written. */
  reserve(n: number): number {
    const at = this.pos;
    const end = at + n;
    if (end > this.#limit) this.#grow(end);
    this.pos = end;
    return at;
  }

  /** Grows the buffer once for `n` bytes that will follow, rather than several times on the way. */
  expect(n: number): void {
    const at = this.reserve(n);
    this.pos = at;
  }

  put(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new CodecError('invalid', this.pos, `expected bytes, got ${show(bytes)}`);
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  putZeros(n: number): void {
    const at = this.reserve(n);
    this.#bytes.fill(0, at, at + n);
  }

  /** True when a field was left out because its window ends there: another byte would be read as that field. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing may be written from here to the end of the window; see `optional`. */
  close(): void {
    this.#closed = true;
    this.#limit = this.pos;
  }

  /** Undoes `close`, where the window that was closed has ended. */
  reopen(): void {
    this.#closed = false;
    this.#limit = this.#bytes.length;
  }

  /** The bytes before `pos`, and starts anew: a copy, or the buffer itself where it holds just these. */
  finish(): Uint8Array {
    const written = this.#bytes;
    const isWhole = this.pos === written.length;
    const result = isWhole ? written : written.slice(0, this.pos);
    this.pos = 0;
    this.#adopt(isWhole ? new Uint8Array(0) : written);
    return result;
  }

  #grow(end: number): void {
    if (this.#closed) throw new CodecError('invalid', this.pos, 'nothing may follow a field that was left out');
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, end));
    grown.set(this.#bytes.subarray(0, this.pos));
    this.#adopt(grown);
  }

  #adopt(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.reopen();
  }
}
