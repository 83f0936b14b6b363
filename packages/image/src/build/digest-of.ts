// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { startDigest } from '@vouchsafe/crypto';

const CHUNK_BYTES = 1024 * 1024;

/** SHA-256 of all octets. */
export function digestOf(source: ByteSource): Uint8Array {
  const hash = startDigest('sha256');
  for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
    hash.update(readBytes(source, offset, Math.min(CHUNK_BYTES, source.size - offset)));
  }
  return hash.digest();
}
