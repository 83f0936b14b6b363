// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { type Compression, compressionOf, isReadCompression } from '../compression/detect.ts';
import { endOfXzStream } from '../compression/xz-streams.ts';
import { zstdFrames } from '../compression/zstd-frames.ts';
import { cpioTree } from '../cpio/cpio-tree.ts';
import { type CpioEntry, readCpioArchive } from '../cpio/read.ts';
import { DiskError } from '../error.ts';
import { endOfLz4Frame } from '../lz4/end-of-frame.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES, type DecompressionLimits, decompressed } from './decompress.ts';
import type { OpenTree } from './open-tree-options.ts';
import { SpoolFile } from './spool-file.ts';

export interface OpenInitrdOptions extends LongWork {
  readonly decompression?: DecompressionLimits;
  /** Members of all archives together. */
  readonly maxEntries?: number;
  readonly spoolFolder?: string;
}

/** An initrd as it is: archives end to end, each plain or inside compressed data. */
export interface InitrdPart {
  readonly compression: Compression | 'none';
  /** In the initrd, in octets. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface OpenInitrd extends OpenTree {
  readonly parts: readonly InitrdPart[];
}

/** Parts of one initrd; a stub adds about ten. */
const MAX_PARTS = 1000;

/**
 * What the kernel makes of an initrd: archives end to end, plain or compressed, with zeros between them. Linux,
 * init/initramfs.c, unpack_to_rootfs; Documentation/driver-api/early-userspace/buffer-format.rst.
 * @param source stays open as long as the result.
 * @throws {DiskError} 'cpio_malformed', 'compression_malformed', 'compression_unsupported', 'limit'; as `cpioTree`.
 * @throws {BytesError}
 */
export async function openInitrd(source: ByteSource, options: OpenInitrdOptions = {}): Promise<OpenInitrd> {
  const stack = new DisposableStack();
  try {
    const parts: InitrdPart[] = [];
    const archives: CpioEntry[][] = [];
    let left = options.decompression?.maxBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES;
    let entriesLeft = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
    const readArchive = (archive: ByteSource, from: number): number => {
      const { entries, end } = readCpioArchive(archive, from, entriesLeft);
      archives.push(entries);
      entriesLeft -= entries.length;
      return end;
    };
    let at = skipZeros(source, 0);
    if (at === source.size)
      throw new DiskError('cpio_malformed', `${source.label}: expected an archive, found nothing`);
    while (at < source.size) {
      options.signal?.throwIfAborted();
      if (parts.length >= MAX_PARTS)
        throw new DiskError('limit', `${source.label}: expected at most ${MAX_PARTS} parts of an initrd`);
      const rest = sliceSource(source, at, source.size - at);
      const compression = compressionOf(rest) ?? 'none';
      const start = at;
      if (compression === 'none') at = readArchive(source, at);
      else {
        if (!isReadCompression(compression)) {
          throw new DiskError(
            'compression_unsupported',
            `${source.label}: expected an initrd, plain or in gzip, zstd, xz or LZ4, found ${compression}`,
          );
        }
        const spool = stack.use(SpoolFile.create(source.label, options.spoolFolder));
        at += await spoolPart(rest, compression, spool, {
          ...options,
          decompression: { ...options.decompression, maxBytes: left },
        });
        left -= spool.size;
        const plain = spool.source();
        for (let inner = skipZeros(plain, 0); inner < plain.size; inner = skipZeros(plain, inner))
          inner = readArchive(plain, inner);
      }
      parts.push({ compression, offset: start, sizeBytes: at - start });
      at = skipZeros(source, at);
    }
    return { entries: cpioTree(archives, options.maxEntries), parts, [Symbol.dispose]: () => stack.dispose() };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

const DEFAULT_MAX_ENTRIES = 1_000_000;

/** Decompresses what the source begins with. @returns how many octets that was. */
async function spoolPart(
  source: ByteSource,
  compression: Compression,
  spool: SpoolFile,
  options: OpenInitrdOptions,
): Promise<number> {
  let end = compression === 'gzip' ? source.size : endOf(source, compression);
  const { signal, onProgress } = options;
  const onGzipEnd = (bytes: number): void => {
    end = bytes;
  };
  const limits = { ...options.decompression, signal, onProgress, onGzipEnd };
  for await (const piece of decompressed(sliceSource(source, 0, end), compression, limits)) spool.append(piece);
  return end;
}

function endOf(source: ByteSource, compression: Exclude<Compression, 'gzip'>): number {
  if (compression === 'xz') return endOfXzStream(source, 0);
  if (compression === 'lz4') return endOfLz4Frame(source, 0);
  const { value: first } = zstdFrames(source).next();
  return first === undefined ? source.size : first.offset + first.size;
}

const CHUNK_BYTES = 64 * 1024;

function skipZeros(source: ByteSource, from: number): number {
  for (let at = from; at < source.size; at += CHUNK_BYTES) {
    const chunk = readBytes(source, at, Math.min(CHUNK_BYTES, source.size - at));
    const used = chunk.findIndex((octet) => octet !== 0);
    if (used >= 0) return at + used;
  }
  return source.size;
}
