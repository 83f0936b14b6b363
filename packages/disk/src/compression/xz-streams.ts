// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';

/** The .xz file format 1.2.1, sections 2.1.1, 2.1.2 and 3. */
const STREAM_HEADER_BYTES = 12;
const STREAM_FOOTER_BYTES = 12;
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
/** Octets of the check behind a block, by its type. Section 2.1.1.2. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
/** Section 1.2: "Variable-length integer" of 63 bits, 9 octets. */
const MAX_INTEGER_BYTES = 9;
/** Section 5.3.1. */
const LZMA2 = 0x21;

/**
 * Where a stream of .xz data ends, by the sizes in its headers and in those of LZMA2's chunks; nothing is decompressed, so
 * that what follows can be told from it.
 * @throws {DiskError} 'compression_malformed'; 'compression_unsupported' for another filter than LZMA2. @throws {BytesError}
 */
export function endOfXzStream(source: ByteSource, offset: number): number {
  const walk = new Walk(source, offset);
  const header = walk.take(STREAM_HEADER_BYTES);
  if (MAGIC.some((octet, i) => header[i] !== octet)) walk.refuse('expected the start of a stream');
  const checkBytes = CHECK_BYTES[(header[7] as number) & 0x0f] as number;
  // An index begins with a zero where a block has the size of its header.
  while (walk.peek() !== 0) {
    blockHeader(walk);
    lzma2Chunks(walk);
    walk.align(offset);
    walk.skip(checkBytes);
  }
  const indexAt = walk.at;
  walk.skip(1);
  const records = walk.integer();
  for (let i = 0n; i < records; i++) {
    walk.integer();
    walk.integer();
  }
  walk.align(indexAt);
  walk.skip(4 + STREAM_FOOTER_BYTES);
  return walk.at;
}

/** Section 3.1. */
function blockHeader(walk: Walk): void {
  const header = walk.take((walk.peek() + 1) * 4);
  const flags = header[1] as number;
  let at = 2;
  const integer = (): void => {
    for (let i = 0; i < MAX_INTEGER_BYTES; i++) if (((header[at++] ?? 0) & 0x80) === 0) return;
    walk.refuse('expected a number of at most 9 octets in a block header');
  };
  if ((flags & 0x40) !== 0) integer();
  if ((flags & 0x80) !== 0) integer();
  if ((flags & 0x3f) !== 0 || header[at] !== LZMA2) {
    throw new DiskError(
      'compression_unsupported',
      `${walk.label}: xz: expected LZMA2 without other filters; compress it again with xz and no options`,
    );
  }
}

/** Section 5.3.1 names LZMA2; its chunks are described by XZ Embedded, linux/lib/xz/xz_dec_lzma2.c, xz_dec_lzma2_run. */
function lzma2Chunks(walk: Walk): void {
  for (;;) {
    const control = walk.take(1)[0] as number;
    if (control === 0) return;
    if (control === 1 || control === 2) {
      const [high = 0, low = 0] = walk.take(2);
      walk.skip(high * 256 + low + 1);
    } else if (control >= 0x80) {
      const [, , high = 0, low = 0] = walk.take(4);
      // From 0xC0 on there are new properties, an octet.
      walk.skip(high * 256 + low + 1 + (control >= 0xc0 ? 1 : 0));
    } else walk.refuse(`expected a chunk of LZMA2, found control octet ${control}`);
  }
}

class Walk {
  readonly #source: ByteSource;
  at: number;

  constructor(source: ByteSource, at: number) {
    this.#source = source;
    this.at = at;
  }

  get label(): string {
    return this.#source.label;
  }

  refuse(problem: string): never {
    throw new DiskError('compression_malformed', `${this.label}: xz, octet ${this.at}: ${problem}`);
  }

  take(length: number): Uint8Array {
    this.skip(length);
    return readBytes(this.#source, this.at - length, length);
  }

  skip(length: number): void {
    if (length > this.#source.size - this.at) this.refuse(`expected ${length} octets more, found the end`);
    this.at += length;
  }

  peek(): number {
    const [octet] = this.take(1);
    this.at--;
    return octet as number;
  }

  /** To the next multiple of 4 from a place. */
  align(from: number): void {
    this.skip(-(this.at - from) & 3);
  }

  integer(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_INTEGER_BYTES; i++) {
      const octet = this.take(1)[0] as number;
      value |= BigInt(octet & 0x7f) << BigInt(7 * i);
      if ((octet & 0x80) === 0) return value;
    }
    return this.refuse('expected a number of at most 9 octets');
  }
}
