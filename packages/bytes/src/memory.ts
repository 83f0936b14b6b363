// SPDX-License-Identifier: Apache-2.0
import { BytesError } from './error.ts';
import type { ByteSink } from './sink.ts';
import { type ByteSource, requireRange } from './source.ts';

/** A source over bytes in memory; they are not copied. */
export function memorySource(bytes: Uint8Array, label = 'memory'): ByteSource {
  const source: ByteSource = {
    size: bytes.length,
    label,
    read(offset, target) {
      requireRange(source, offset, target.length);
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
  return source;
}

/** A sink that grows in memory up to `maxSize` octets. */
export class MemorySink implements ByteSink {
  readonly label: string;
  readonly #maxSize: number;
  #bytes = new Uint8Array(1024);
  #size = 0;

  constructor(maxSize: number, label = 'memory') {
    this.#maxSize = maxSize;
    this.label = label;
  }

  /** @throws {BytesError} 'no_space' beyond the largest size, 'out_of_range' before the start. */
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new BytesError('out_of_range', `${this.label}: cannot write at octet ${offset}`);
    if (end > this.#maxSize) throw new BytesError('no_space', `${this.label}: ${end} octets exceed ${this.#maxSize}`);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#maxSize, Math.max(end, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, offset);
    this.#size = Math.max(this.#size, end);
  }

  /** A copy of what was written; gaps are zeros. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }
}
