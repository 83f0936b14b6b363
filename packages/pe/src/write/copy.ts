// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { CHUNK_BYTES } from '../limits.ts';
import type { PeChecksum } from './checksum.ts';

/** Writes the parts of one file, adds them up for its checksum and reports how far it has come. */
export class PeWriter {
  readonly #sink: ByteSink;
  readonly #checksum: PeChecksum;
  readonly #work: LongWork;
  readonly #phase: string;
  readonly #total: number;
  readonly #buffer: Uint8Array;
  #done = 0;

  constructor(sink: ByteSink, checksum: PeChecksum, phase: string, totalBytes: number, work: LongWork) {
    this.#sink = sink;
    this.#checksum = checksum;
    this.#phase = phase;
    this.#total = totalBytes;
    this.#work = work;
    this.#buffer = new Uint8Array(Math.min(CHUNK_BYTES, totalBytes + (totalBytes % 2)));
  }

  /** @param offset even, as the checksum adds 16-bit words. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#checksum.add(bytes);
    this.#sink.write(offset, bytes);
    await this.#report(bytes.length);
  }

  /** All of [from, to) of the source at `offset`, which is even. */
  async copy(source: ByteSource, from: number, to: number, offset: number): Promise<void> {
    for (let at = from; at < to; ) {
      const chunk = this.#buffer.subarray(0, Math.min(this.#buffer.length, to - at));
      source.read(at, chunk);
      await this.write(offset + at - from, chunk);
      at += chunk.length;
    }
  }

  async #report(bytes: number): Promise<void> {
    this.#work.signal?.throwIfAborted();
    this.#done += bytes;
    await this.#work.onProgress?.({ phase: this.#phase, done: this.#done, total: this.#total });
  }
}
