// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';

/** A frame in its source, in octets. */
export interface ZstdFrame {
  readonly offset: number;
  readonly size: number;
}

/** RFC 8878, sections 3.1.1 and 3.1.2. */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Section 3.1.1.1.1.3 and 3.1.1.1.1.1: octets of the dictionary's number and of the content's size, by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_HEADER_BYTES = 3;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
/** Section 3.1.1.2.4: no block has more. */
const MAX_BLOCK_BYTES = 128 * 1024;
const CHECKSUM_BYTES = 4;

/**
 * The frames of zstd data, by the sizes in their headers, without those that decoders skip. Needed where a decoder ends with
 * the first one, as that of Node.js does, and says nothing.
 * @throws {DiskError} 'compression_malformed'. @throws {BytesError}
 */
export function* zstdFrames(source: ByteSource): Generator<ZstdFrame, void> {
  let at = 0;
  const refuse = (offset: number, problem: string): never => {
    throw new DiskError('compression_malformed', `${source.label}: zstd, octet ${offset}: ${problem}`);
  };
  const view = (offset: number, length: number): DataView => {
    if (offset + length > source.size) refuse(offset, `expected ${length} octets of a header, found the end`);
    return new DataView(readBytes(source, offset, length).buffer);
  };
  while (at < source.size) {
    const magic = view(at, 4).getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + view(at + 4, 4).getUint32(0, true);
      if (at > source.size) refuse(source.size, 'expected more of a frame to skip, found the end');
      continue;
    }
    if (magic !== FRAME_MAGIC) refuse(at, `expected the magic number of a frame, found 0x${magic.toString(16)}`);
    const end = endOfFrame(at, view, refuse);
    if (end > source.size) refuse(source.size, 'expected more of a frame, found the end');
    yield { offset: at, size: end - at };
    at = end;
  }
}

function endOfFrame(
  start: number,
  view: (offset: number, length: number) => DataView,
  refuse: (offset: number, problem: string) => never,
): number {
  const descriptor = view(start + 4, 1).getUint8(0);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] as number);
  let at = start + 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] as number) + sizeBytes;
  for (;;) {
    const header = view(at, BLOCK_HEADER_BYTES);
    const word = header.getUint16(0, true) + header.getUint8(2) * 0x10000;
    const [isLast, type, size] = [(word & 1) !== 0, (word >> 1) & 3, word >> 3];
    if (type === RESERVED_BLOCK) refuse(at, 'expected a block of a known type, found the reserved one');
    if (size > MAX_BLOCK_BYTES) refuse(at, `expected a block of at most ${MAX_BLOCK_BYTES} octets, found ${size}`);
    at += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size);
    if (isLast) return at + ((descriptor & 0x04) !== 0 ? CHECKSUM_BYTES : 0);
  }
}
