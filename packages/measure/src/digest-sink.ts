// SPDX-License-Identifier: Apache-2.0
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { type IncrementalDigest, startDigest } from '@vouchsafe/crypto';
import type { Bank } from '@vouchsafe/manifest';

const CHUNK_BYTES = 1024 * 1024;
const ZEROS = new Uint8Array(4096);

/** Hashes what is written to it, front to back, so that an archive of any size is hashed without being kept. */
export class DigestSink implements ByteSink {
  readonly label = 'digest';
  #running: readonly (readonly [Bank, IncrementalDigest])[];
  #size = 0;

  constructor(banks: readonly Bank[]) {
    this.#running = banks.map((bank) => [bank, startDigest(bank)] as const);
  }

  /** A sink that has had the same octets, to go on with in another way. */
  fork(): DigestSink {
    const other = new DigestSink([]);
    other.#running = this.#running.map(([bank, hash]) => [bank, hash.copy()] as const);
    other.#size = this.#size;
    return other;
  }

  /** Octets hashed so far. */
  get size(): number {
    return this.#size;
  }

  /** What lies between two writes is zeros; going back is a defect of the caller. */
  write(offset: number, bytes: Uint8Array): void {
    if (offset < this.#size) throw new Error(`octet ${offset} was hashed already`);
    this.fillTo(offset);
    this.#update(bytes);
  }

  /** Zeros up to `offset`. */
  fillTo(offset: number): void {
    while (this.#size < offset) this.#update(ZEROS.subarray(0, Math.min(ZEROS.length, offset - this.#size)));
  }

  /** All of the source, piece by piece. */
  copy(source: ByteSource): void {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
    for (let at = 0; at < source.size; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, source.size - at));
      source.read(at, part);
      this.#update(part);
    }
  }

  /** Ends the computation. */
  digests(): Map<Bank, Uint8Array> {
    return new Map(this.#running.map(([bank, hash]) => [bank, hash.digest()]));
  }

  #update(bytes: Uint8Array): void {
    for (const [, hash] of this.#running) hash.update(bytes);
    this.#size += bytes.length;
  }
}
