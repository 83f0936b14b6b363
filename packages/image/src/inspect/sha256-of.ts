// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { startDigest } from '@vouchsafe/crypto';

const CHUNK_BYTES = 1024 * 1024;

/** SHA-256 of all of a source, in lower-case hexadecimal. @throws {BytesError} */
export function sha256Of(source: ByteSource): string {
  const hash = startDigest('sha256');
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
  for (let at = 0; at < source.size; at += buffer.length) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    source.read(at, chunk);
    hash.update(chunk);
  }
  return toHex(hash.digest());
}
