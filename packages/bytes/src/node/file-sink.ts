// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { BytesError } from '../error.ts';
import type { ByteSink } from '../sink.ts';
import { onHost } from './host-error.ts';

/**
 * Writes all of the bytes, however many calls the host needs.
 * @throws {BytesError} 'no_space', 'io'.
 */
export function writeFully(fd: number, path: string, offset: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    const written = onHost(path, () => writeSync(fd, bytes, done, bytes.length - done, offset + done));
    // Hosts fail rather than write nothing; should one not, this must end.
    if (written === 0) throw new BytesError('no_space', `${path}: the host takes no more after octet ${offset + done}`);
    done += written;
  }
}

/** A sink over a descriptor that somebody else owns: another thread's output, which may begin at an octet of its own. */
export function descriptorSink(fd: number, label: string, start = 0): ByteSink {
  return { label, write: (offset, bytes) => writeFully(fd, label, start + offset, bytes) };
}
