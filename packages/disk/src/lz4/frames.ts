// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { decodeLinkedBlock } from './linked-block.ts';
import { Xxh32 } from './xxh32.ts';

/** LZ4 frame format description 1.6.4, "General Structure of LZ4 Frame format", "Skippable Frames" and "Legacy frame". */
export const FRAME_MAGIC = 0x184d2204;
export const LEGACY_MAGIC = 0x184c2102;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** What a block may refer to of those before it. */
const HISTORY_BYTES = 64 * 1024;
const LEGACY_BLOCK_BYTES = 8 * 1024 * 1024;
/** LZ4_COMPRESSBOUND of that: what is larger is no size, but the magic number of another frame. */
export const LEGACY_MAX_COMPRESSED = LEGACY_BLOCK_BYTES + Math.floor(LEGACY_BLOCK_BYTES / 255) + 16;
const BLOCK_BYTES: readonly number[] = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/**
 * The content of LZ4 frames end to end, as lz4(1) and, in its legacy form, the kernel's build write them; every checksum
 * that is there is checked. Memory is bounded by the largest block there is, 8 MiB.
 * @returns pieces that are overwritten by the next.
 * @throws {DiskError} 'compression_malformed'; 'compression_unsupported' for a dictionary. @throws {BytesError}
 */
export function* lz4Content(source: ByteSource): Generator<Uint8Array, void> {
  const reader = new FrameReader(source);
  while (!reader.isAtEnd) {
    const magic = reader.u32('a frame');
    if (magic === FRAME_MAGIC) yield* reader.frame();
    else if (magic === LEGACY_MAGIC) yield* reader.legacyFrame();
    else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) reader.skip(reader.u32('a size'));
    else reader.refuse(`expected the magic number of a frame, found 0x${magic.toString(16)}`, 4);
  }
}

class FrameReader {
  readonly #source: ByteSource;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.size;
  }

  refuse(problem: string, back = 0): never {
    throw new DiskError('compression_malformed', `${this.#source.label}: lz4, octet ${this.#at - back}: ${problem}`);
  }

  take(length: number, what: string): Uint8Array {
    if (length > this.#source.size - this.#at) this.refuse(`expected ${what} of ${length} octets, found the end`);
    const bytes = readBytes(this.#source, this.#at, length);
    this.#at += length;
    return bytes;
  }

  skip(length: number): void {
    if (length > this.#source.size - this.#at) this.refuse(`expected ${length} octets to skip, found the end`);
    this.#at += length;
  }

  u32(what: string): number {
    const bytes = this.take(4, what);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  *frame(): Generator<Uint8Array, void> {
    const { maxBlock, hasBlockSum, hasContentSum, contentSize } = this.#descriptor();
    const output = new Uint8Array(HISTORY_BYTES + maxBlock);
    const sum = new Xxh32();
    let kept = 0;
    let total = 0;
    for (;;) {
      const word = this.u32('the size of a block');
      if (word === 0) break;
      const size = word & 0x7fffffff;
      if (size > maxBlock) this.refuse(`expected a block of at most ${maxBlock} octets, found ${size}`, 4);
      const block = this.take(size, 'a block');
      if (hasBlockSum) this.#requireSum(new Xxh32().update(block), 'a block');
      // Also of blocks that do not refer to each other: what is kept then is not looked at by a sound one.
      const end =
        word >= 0x80000000
          ? stored(block, output, kept)
          : this.#decode(block, output.subarray(0, kept + maxBlock), kept);
      const piece = output.subarray(kept, end);
      sum.update(piece);
      total += piece.length;
      yield piece;
      const from = Math.max(0, end - HISTORY_BYTES);
      output.copyWithin(0, from, end);
      kept = end - from;
    }
    if (hasContentSum) this.#requireSum(sum, 'the content');
    if (contentSize !== undefined && BigInt(total) !== contentSize)
      this.refuse(`expected ${contentSize} octets of content, found ${total}`);
  }

  *legacyFrame(): Generator<Uint8Array, void> {
    const output = new Uint8Array(LEGACY_BLOCK_BYTES);
    while (!this.isAtEnd) {
      const size = this.u32('the size of a block');
      if (size > LEGACY_MAX_COMPRESSED) {
        this.#at -= 4;
        return;
      }
      const end = this.#decode(this.take(size, 'a block'), output, 0);
      yield output.subarray(0, end);
    }
  }

  /** "Frame Descriptor". */
  #descriptor() {
    const start = this.#at;
    const [flags = 0, sizes = 0] = this.take(2, 'a frame descriptor');
    if (flags >> 6 !== 1 || (flags & 0x02) !== 0 || (sizes & 0x8f) !== 0)
      this.refuse('expected version 01 and reserved bits of zero', 2);
    const maxBlock = BLOCK_BYTES[sizes >> 4] ?? 0;
    if (maxBlock === 0) this.refuse(`expected a block size from 4 to 7, found ${sizes >> 4}`, 1);
    if ((flags & 0x01) !== 0) {
      throw new DiskError(
        'compression_unsupported',
        `${this.#source.label}: lz4: expected no dictionary; compress it again without`,
      );
    }
    const hasSize = (flags & 0x08) !== 0;
    const size = hasSize ? this.take(8, 'the size of the content') : undefined;
    const octets = readBytes(this.#source, start, this.#at - start);
    const [found] = this.take(1, 'a checksum');
    const expected = (new Xxh32().update(octets).digest() >>> 8) & 0xff;
    if (found !== expected) this.refuse(`expected the checksum ${expected} of the descriptor, found ${found}`, 1);
    return {
      maxBlock,
      hasBlockSum: (flags & 0x10) !== 0,
      hasContentSum: (flags & 0x04) !== 0,
      contentSize: size === undefined ? undefined : new DataView(size.buffer, size.byteOffset, 8).getBigUint64(0, true),
    };
  }

  #decode(block: Uint8Array, output: Uint8Array, start: number): number {
    const blockAt = this.#at - block.length;
    return decodeLinkedBlock(block, output, start, (at, problem) => {
      throw new DiskError('compression_malformed', `${this.#source.label}: lz4, octet ${blockAt + at}: ${problem}`);
    });
  }

  #requireSum(sum: Xxh32, what: string): void {
    const [expected, found] = [sum.digest(), this.u32('a checksum')];
    if (expected !== found) this.refuse(`expected the checksum ${expected} of ${what}, found ${found}`, 4);
  }
}

function stored(block: Uint8Array, output: Uint8Array, start: number): number {
  output.set(block, start);
  return start + block.length;
}
