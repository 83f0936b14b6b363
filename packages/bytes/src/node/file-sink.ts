// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import type { ByteSink } from '../sink.ts';
import { onHost } from './host-error.ts';

/** Writes all of the bytes, however many calls the host needs. */
export function writeFully(fd: number, path: string, offset: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += onHost(path, () => writeSync(fd, bytes, done, bytes.length - done, offset + done));
  }
}

/** A sink over a descriptor that somebody else owns: another thread's output. */
export function descriptorSink(fd: number, label: string): ByteSink {
  return { label, write: (offset, bytes) => writeFully(fd, label, offset, bytes) };
}
