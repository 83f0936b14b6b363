// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { digest, startDigest } from '@vouchsafe/crypto';

/** Fits a core's own cache, so that what is read is still there when it is hashed. */
const CHUNK_BYTES = 256 * 1024;
/** One for all: an image has thousands of files, and a buffer for each takes longer to make and to free than to fill. */
let buffer: Uint8Array | undefined;

/** SHA-256 of all of a source, in lower-case hexadecimal. @throws {BytesError} */
export function sha256Of(source: ByteSource): string {
  buffer ??= new Uint8Array(CHUNK_BYTES);
  if (source.size <= buffer.length) return toHex(digest('sha256', readInto(buffer, source, 0)));
  const hash = startDigest('sha256');
  for (let at = 0; at < source.size; at += buffer.length) hash.update(readInto(buffer, source, at));
  return toHex(hash.digest());
}

/** As much as there is, or as fits. */
function readInto(target: Uint8Array, source: ByteSource, at: number): Uint8Array {
  const part = target.subarray(0, Math.min(target.length, source.size - at));
  source.read(at, part);
  return part;
}
