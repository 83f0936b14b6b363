// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import { type ByteSink, type ByteSource, type Extent, readBytes } from '@vouchsafe/bytes';

/** Fits a core's own cache with what the system copies from and to. */
const BUFFER_BYTES = 512 * 1024;

/**
 * Writes blocks one after the other, in large pieces: contents are read to where they are written from. What is skipped
 * reads as zeros.
 */
export class BlockWriter {
  readonly #sink: ByteSink;
  readonly #blockBytes: number;
  readonly #signal: CancelSignal | undefined;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** Octets from the start of the image to the buffer's first. */
  #start: number;
  #used = 0;

  constructor(sink: ByteSink, blockBytes: number, firstBlock: number, signal: CancelSignal | undefined) {
    this.#sink = sink;
    this.#blockBytes = blockBytes;
    this.#start = firstBlock * blockBytes;
    this.#signal = signal;
  }

  /** The block that is written next. */
  get nextBlock(): number {
    return (this.#start + this.#used) / this.#blockBytes;
  }

  /** Goes back to write something else there; nothing behind it counts as written. */
  returnTo(block: number): void {
    const offset = block * this.#blockBytes;
    if (offset < this.#start) this.#start = offset;
    this.#used = offset - this.#start;
  }

  /** Octets, and zeros up to the end of the block. */
  writeBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = this.#room(bytes.length - at);
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
    }
    this.#fillBlock();
  }

  /**
   * The first `length` octets of a content, and zeros up to the end of the block.
   * @returns its last `tail` octets, to be copied before the next call.
   */
  writeContent(content: ByteSource, length: number, tail: number): Uint8Array | undefined {
    if (length + tail > BUFFER_BYTES) {
      this.#writeLarge(content, length);
      this.#fillBlock();
      return tail === 0 ? undefined : readBytes(content, length, tail);
    }
    if (this.#used + length + tail > BUFFER_BYTES) this.flush();
    const from = this.#used;
    content.read(0, this.#buffer.subarray(from, from + length + tail));
    this.#used += length;
    const rest = tail === 0 ? undefined : this.#buffer.subarray(this.#used, this.#used + tail);
    this.#fillBlock();
    return rest;
  }

  flush(): void {
    this.#signal?.throwIfAborted();
    if (this.#used > 0) this.#sink.write(this.#start, this.#buffer.subarray(0, this.#used));
    this.#start += this.#used;
    this.#used = 0;
  }

  #writeLarge(content: ByteSource, length: number): void {
    const whole: Extent = { start: 0, end: length };
    let at = 0;
    for (const extent of content.dataExtents?.() ?? [whole]) {
      // Of holes, whole blocks are skipped.
      const start = Math.max(at, Math.floor(Math.min(extent.start, length) / this.#blockBytes) * this.#blockBytes);
      if (start > at) {
        this.flush();
        this.#start += start - at;
        at = start;
      }
      // The end of an extent need not be that of a block: what follows it there are zeros of the content.
      const end = Math.min(Math.ceil(extent.end / this.#blockBytes) * this.#blockBytes, length);
      while (at < end) {
        const part = this.#room(end - at);
        content.read(at, part);
        at += part.length;
      }
    }
    if (at < length) {
      this.flush();
      this.#start += Math.ceil((length - at) / this.#blockBytes) * this.#blockBytes;
    }
  }

  /** A part of the buffer that counts as written. */
  #room(wanted: number): Uint8Array {
    if (this.#used === BUFFER_BYTES) this.flush();
    const end = Math.min(BUFFER_BYTES, this.#used + wanted);
    const part = this.#buffer.subarray(this.#used, end);
    this.#used = end;
    return part;
  }

  #fillBlock(): void {
    const padding = -(this.#start + this.#used) & (this.#blockBytes - 1);
    if (padding > 0) this.#room(padding).fill(0);
  }
}
