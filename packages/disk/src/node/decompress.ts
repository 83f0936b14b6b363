// SPDX-License-Identifier: Apache-2.0
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { LongWork } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import xz from 'xz-decompress';
import type { Compression } from '../compression/detect.ts';
import { zstdFrames } from '../compression/zstd-frames.ts';
import { DiskError } from '../error.ts';
import { lz4Content } from '../lz4/frames.ts';

export interface DecompressionLimits {
  /** Octets that may come out; 64 GiB unless given. */
  readonly maxBytes?: number;
  /** How many times the octets that go in, beyond the first 64 MiB; 1000 unless given. */
  readonly maxRatio?: number;
}

export const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 * 2 ** 30;
/** No root file system is near it; what holds nothing is, and so are bombs. */
const DEFAULT_MAX_RATIO = 1000;
const RATIO_FLOOR_BYTES = 64 * 2 ** 20;
const CHUNK_BYTES = 256 * 1024;

/**
 * Decompresses a source, several members or frames end to end too, as its tool does; memory is bounded by what the
 * format's windows take.
 * @param limits.onGzipEnd told how many octets are gzip data; what follows is then not looked at.
 * @returns pieces that may be overwritten by the next.
 * @throws {DiskError} 'compression_malformed', also for what was cut; 'compression_unsupported'; 'limit'. @throws {BytesError}
 */
export async function* decompressed(
  source: ByteSource,
  compression: Compression,
  limits: DecompressionLimits & LongWork & { readonly onGzipEnd?: (bytes: number) => void } = {},
): AsyncGenerator<Uint8Array, void> {
  const { maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES, maxRatio = DEFAULT_MAX_RATIO, signal, onProgress } = limits;
  const ratioBytes = Math.max(RATIO_FLOOR_BYTES, source.size * maxRatio);
  const consumed = { bytes: 0 };
  let total = 0;
  try {
    for await (const piece of piecesOf(source, compression, consumed, limits.onGzipEnd)) {
      signal?.throwIfAborted();
      total += piece.length;
      if (total > Math.min(maxBytes, ratioBytes)) {
        throw new DiskError(
          'limit',
          `${source.label}: expected ${source.size} octets of ${compression} to be at most ${Math.min(maxBytes, ratioBytes)} decompressed, found more; is this a decompression bomb?`,
        );
      }
      yield piece;
      await onProgress?.({ phase: 'decompressing', done: consumed.bytes, total: source.size });
    }
  } catch (error) {
    throw codedError(error, source, compression);
  }
}

interface Consumed {
  bytes: number;
}

function piecesOf(
  source: ByteSource,
  compression: Compression,
  consumed: Consumed,
  onGzipEnd: ((bytes: number) => void) | undefined,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  switch (compression) {
    case 'gzip':
      return gunzipped(source, consumed, onGzipEnd);
    case 'zstd':
      return unzstd(source, consumed);
    case 'xz':
      return new xz.XzReadableStream(
        Readable.toWeb(Readable.from(chunksOf(source, consumed))) as ReadableStream<Uint8Array>,
      );
    case 'lz4':
      return lz4Content(source);
  }
}

async function* gunzipped(
  source: ByteSource,
  consumed: Consumed,
  onEnd: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array, void> {
  const transform = createGunzip({ chunkSize: CHUNK_BYTES });
  yield* through(source, transform, consumed);
  if (onEnd !== undefined) {
    onEnd(transform.bytesWritten);
    return;
  }
  // zlib ends where no further member begins. Zeros may follow, as tapes have them; anything else, gzip warns of.
  for (let at = transform.bytesWritten; at < source.size; at += CHUNK_BYTES) {
    const rest = readBytes(source, at, Math.min(CHUNK_BYTES, source.size - at));
    const other = rest.findIndex((octet) => octet !== 0);
    if (other >= 0) {
      throw new DiskError(
        'compression_malformed',
        `${source.label}: gzip, octet ${at + other}: expected the end, or another member`,
      );
    }
  }
}

/** Frame by frame: Node's decompressor ends with the first one. */
async function* unzstd(source: ByteSource, consumed: Consumed): AsyncGenerator<Uint8Array, void> {
  for (const { offset, size } of zstdFrames(source)) {
    const before = consumed.bytes;
    const own = { bytes: 0 };
    for await (const piece of through(
      sliceSource(source, offset, size),
      createZstdDecompress({ chunkSize: CHUNK_BYTES }),
      own,
    )) {
      consumed.bytes = before + own.bytes;
      yield piece;
    }
  }
}

async function* through(
  source: ByteSource,
  transform: Transform,
  consumed: Consumed,
): AsyncGenerator<Uint8Array, void> {
  const input = Readable.from(chunksOf(source, consumed));
  // pipe() does not pass an error on.
  input.on('error', (error) => transform.destroy(error));
  try {
    yield* input.pipe(transform) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
    transform.destroy();
  }
}

function* chunksOf(source: ByteSource, consumed: Consumed): Generator<Uint8Array, void> {
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size - at));
    source.read(at, chunk);
    consumed.bytes = at + chunk.length;
    yield chunk;
  }
}

/** xz-embedded's return codes, linux/include/linux/xz.h, enum xz_ret. */
const XZ_MEMORY_LIMIT = 4;
const XZ_OPTIONS = 6;

/** zlib and xz have errors of their own; those of ours, and a cancellation, go through. */
function codedError(cause: unknown, { label }: ByteSource, compression: Compression): unknown {
  if (!(cause instanceof Error)) return cause;
  const code = 'code' in cause ? String(cause.code) : '';
  if (compression === 'xz') {
    const result = /error code ([0-9]+)/.exec(cause.message)?.[1];
    if (result === undefined) return cause;
    if (Number(result) === XZ_MEMORY_LIMIT)
      return new DiskError(
        'limit',
        `${label}: xz: expected a dictionary of at most 64 MiB; compress it again with one`,
        { cause },
      );
    if (Number(result) === XZ_OPTIONS) {
      return new DiskError(
        'compression_unsupported',
        `${label}: xz: expected LZMA2 without other filters, checked by CRC; compress it again with xz and no options`,
        { cause },
      );
    }
  } else if (!code.startsWith('Z_') && !code.startsWith('ZSTD_') && !code.startsWith('ERR_ZSTD')) return cause;
  return new DiskError(
    'compression_malformed',
    `${label}: expected ${compression} data, and all of it: ${cause.message}`,
    { cause },
  );
}
