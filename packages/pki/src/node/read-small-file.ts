// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import { PkiError } from '../error.ts';

/** Keys and certificates; a file of another kind given by mistake is not read whole. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * All bytes of a small file, which may be a pipe.
 * @throws {PkiError} 'io'; 'input_limit' when there are more than 1 MiB.
 */
export async function readSmallFile(path: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let size = 0;
  try {
    const file = await open(path, 'r');
    try {
      for (let read = -1; read !== 0 && size < buffer.length; size += read) {
        read = (await file.read(buffer, size, buffer.length - size, null)).bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PkiError('io', `${path}: expected a file that can be read: ${reason}`, { cause });
  }
  if (size > MAX_FILE_BYTES) {
    throw new PkiError(
      'input_limit',
      `${path}: expected at most ${MAX_FILE_BYTES} octets; is it a key or a certificate?`,
    );
  }
  // A copy, so that a key's bytes do not live on in the large buffer.
  const bytes = Uint8Array.from(buffer.subarray(0, size));
  buffer.fill(0);
  return bytes;
}
