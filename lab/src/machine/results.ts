// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { DiskError, readCpio } from '@vouchsafe/disk';

/** Name of the virtio port on which a guest hands out its results: one cpio archive (newc). */
export const RESULTS_PORT = 'vouchsafe.results';

const MAX_RESULT_BYTES = 64 * 1024 * 1024;

/** What a guest handed out, by name; nothing when it did not finish. */
export function readResults(path: string): Map<string, Uint8Array> {
  const results = new Map<string, Uint8Array>();
  if (!existsSync(path)) return results;
  using source = FileSource.open(path);
  if (source.size === 0 || source.size > MAX_RESULT_BYTES) return results;
  try {
    for (const entry of readCpio(source)) {
      if (entry.kind === 'file') results.set(entry.path, readBytes(entry.content, 0, entry.content.size));
    }
  } catch (error) {
    // A machine that was stopped while it wrote has not reported.
    if (!(error instanceof DiskError)) throw error;
    return new Map();
  }
  return results;
}
