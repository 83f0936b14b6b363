// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { hostError } from '@vouchsafe/bytes/node';

/** How long to wait where the reader is slow: long enough to leave it the processor. */
const RETRY_MS = 1;

/**
 * Writes all of the bytes to standard output, also where the other end is slow to take them.
 * @returns false when the reader has gone (`| head`): there is nobody left to write for.
 * @throws {BytesError} 'no_space', 'io' when the host refuses: an answer that nobody has got is no answer.
 */
export function writeOut(bytes: Uint8Array): boolean {
  try {
    writeFully(1, bytes);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EPIPE') return false;
    throw hostError('standard output', cause);
  }
}

/** Writes to standard error. Never fails: a remark that cannot be said must not change the answer. */
export function writeErr(text: string): void {
  try {
    writeFully(2, Buffer.from(text));
  } catch {
    // The reader has gone, or the disk that its log is on is full.
  }
}

/** Not through process.stdout and process.stderr: they report failures later, as events that nobody awaits. */
function writeFully(fd: 1 | 2, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
