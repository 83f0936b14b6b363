// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { FRAME_MAGIC, LEGACY_MAGIC, LEGACY_MAX_COMPRESSED } from './frames.ts';

/**
 * Where an LZ4 frame ends, by the sizes of its blocks. A legacy frame, which has no end, ends where no size can be: at the
 * next magic number, at a zero (which pads an initrd), or with the source. Linux, lib/decompress_unlz4.c, unlz4.
 * @throws {DiskError} 'compression_malformed'. @throws {BytesError}
 */
export function endOfLz4Frame(source: ByteSource, offset: number): number {
  let at = offset;
  const refuse = (problem: string): never => {
    throw new DiskError('compression_malformed', `${source.label}: lz4, octet ${at}: ${problem}`);
  };
  const skip = (length: number): void => {
    if (length > source.size - at) refuse(`expected ${length} octets more, found the end`);
    at += length;
  };
  const u32 = (): number => {
    skip(4);
    const bytes = readBytes(source, at - 4, 4);
    return new DataView(bytes.buffer).getUint32(0, true);
  };
  const magic = u32();
  if (magic === LEGACY_MAGIC) {
    while (source.size - at >= 4) {
      const size = u32();
      if (size === 0 || size > LEGACY_MAX_COMPRESSED) return at - 4;
      skip(size);
    }
    return at;
  }
  if (magic !== FRAME_MAGIC) refuse('expected the magic number of a frame');
  skip(2);
  const flags = readBytes(source, at - 2, 1)[0] as number;
  const blockSum = (flags & 0x10) !== 0 ? 4 : 0;
  skip(((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1);
  for (let size = u32(); size !== 0; size = u32()) skip((size & 0x7fffffff) + blockSum);
  skip((flags & 0x04) !== 0 ? 4 : 0);
  return at;
}
