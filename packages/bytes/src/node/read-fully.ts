// SPDX-License-Identifier: Apache-2.0
import { readSync } from 'node:fs';
import { BytesError } from '../error.ts';
import { hostError } from './host-error.ts';

/** An open file, or a part of it, as far as reading needs it. */
export interface ReadableFile {
  readonly fd: number;
  readonly label: string;
  /** Octets that it had when it was opened. */
  readonly size: number;
  /** Octets from the start of the file to the part. */
  readonly start: number;
}

/**
 * Fills the target from an octet of the part on, however many calls the host needs.
 * @param from octets of the target that are there already.
 * @throws {BytesError} 'short_read', 'io'.
 */
export function readFully(file: ReadableFile, offset: number, target: Uint8Array, from = 0): void {
  const { fd, label, size, start } = file;
  let done = from;
  while (done < target.length) {
    let got: number;
    // Not through onHost: its closure would cost a tenth of a read from the page cache.
    try {
      got = readSync(fd, target, done, target.length - done, start + offset + done);
    } catch (cause) {
      throw hostError(label, cause);
    }
    if (got === 0) {
      throw new BytesError(
        'short_read',
        `${label}: it had ${size} octets when it was opened and now ends at ${offset + done}; is something else writing to it?`,
      );
    }
    done += got;
  }
}
