// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';

/** What is read; each has its own beginning. */
export type Compression = 'gzip' | 'zstd' | 'xz' | 'lz4';
/** Known by their beginning, so that a message can say more than "not a tar archive". */
export type UnreadCompression = 'bzip2' | 'lzma' | 'lzop' | 'zip';

/** RFC 1952, 2.3.1; RFC 8878, 3.1.1 and 3.1.2; the .xz file format 1.2.1, 2.1.1.1; LZ4 frame format 1.6.4 and its legacy frame. */
const MAGICS: readonly (readonly [Compression | UnreadCompression, ...number[]])[] = [
  ['gzip', 0x1f, 0x8b],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  ['lz4', 0x04, 0x22, 0x4d, 0x18],
  ['lz4', 0x02, 0x21, 0x4c, 0x18],
  ['bzip2', 0x42, 0x5a, 0x68],
  ['lzma', 0x5d, 0x00, 0x00],
  ['lzop', 0x89, 0x4c, 0x5a, 0x4f],
  ['zip', 0x50, 0x4b, 0x03, 0x04],
];
const HEAD_BYTES = 6;

/** By the first octets; undefined for what is not compressed, or not known. A frame that zstd skips counts as zstd. */
export function compressionOf(source: ByteSource): Compression | UnreadCompression | undefined {
  const head = readBytes(source, 0, Math.min(HEAD_BYTES, source.size));
  const found = MAGICS.find(
    ([, ...magic]) => head.length >= magic.length && magic.every((octet, i) => head[i] === octet),
  );
  if (found !== undefined) return found[0];
  const isSkippable = ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return isSkippable ? 'zstd' : undefined;
}

export function isReadCompression(compression: string): compression is Compression {
  return compression === 'gzip' || compression === 'zstd' || compression === 'xz' || compression === 'lz4';
}
