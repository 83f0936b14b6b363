// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import { PkiError } from '../error.ts';

/** Keys and certificates; a file of another kind given by mistake is not read whole. */
const MAX_FILE_BYTES = 1024 * 1024;

/** What a person can act on; in the words that the other packages use for files. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the path',
  ENOTDIR: 'a part of the path is not a folder; check the path',
  EACCES: 'permission denied; check the owner and mode of the file and its folder',
  EISDIR: 'this is a folder, a file is needed',
};

function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  return MEANINGS[code] ?? message;
}

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
    throw new PkiError('io', `${path}: ${reasonOf(cause as NodeJS.ErrnoException)}`, { cause });
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
