// SPDX-License-Identifier: Apache-2.0
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import type { Compression, UnreadCompression } from '@vouchsafe/disk';

/** A block of zstd, which gives nothing before it is whole: RFC 8878, section 3.1.1.2. */
const MAX_INPUT_BYTES = 160 * 1024;
/** Whatever grows further is not looked into. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * What something compressed begins with, from its first octets alone; undefined where it cannot be told: it is damaged, or
 * of a kind that Node.js does not read.
 */
export function peekCompressed(
  source: ByteSource,
  compression: Compression | UnreadCompression,
): Uint8Array | undefined {
  const bytes = readBytes(source, 0, Math.min(MAX_INPUT_BYTES, source.size));
  try {
    if (compression === 'gzip') {
      return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_OUTPUT_BYTES });
    }
    if (compression === 'zstd') {
      return zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: MAX_OUTPUT_BYTES });
    }
    return undefined;
  } catch {
    // Not an error of what is inspected: nothing can be said about its inside.
    return undefined;
  }
}
