// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes, requireRange } from '@vouchsafe/bytes';

const PAGE_BYTES = 8192;
const MAX_PAGES = 512;

/**
 * Small reads out of large ones: inodes and entries that are near each other come with one read of the source. Keeps at
 * most 4 MiB.
 */
export class Pages {
  readonly source: ByteSource;
  readonly #pages = new Map<number, Uint8Array>();
  #lastNumber = -1;
  #last: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.source = source;
  }

  /**
   * @returns a view, never to be written to; the caller has bounded `length`.
   * @throws {BytesError} 'out_of_range' when it is not all inside the source.
   */
  read(offset: number, length: number): Uint8Array {
    requireRange(this.source, offset, length);
    const number = Math.floor(offset / PAGE_BYTES);
    const within = offset - number * PAGE_BYTES;
    if (within + length <= PAGE_BYTES) return this.#page(number).subarray(within, within + length);
    return readBytes(this.source, offset, length);
  }

  #page(number: number): Uint8Array {
    if (number === this.#lastNumber) return this.#last;
    let page = this.#pages.get(number);
    if (page === undefined) {
      const start = number * PAGE_BYTES;
      page = readBytes(this.source, start, Math.min(PAGE_BYTES, this.source.size - start));
      if (this.#pages.size >= MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value as number);
      this.#pages.set(number, page);
    }
    this.#lastNumber = number;
    this.#last = page;
    return page;
  }
}
