// SPDX-License-Identifier: Apache-2.0
// Runs in a worker thread: digests of files.
import { parentPort } from 'node:worker_threads';
import { isVouchsafeError } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { OpenFiles } from '@vouchsafe/disk/node';
import { sha256Of } from '../inspect/sha256-of.ts';
import type { DigestResult, DigestTask } from './digest-messages.ts';

parentPort?.on('message', (task: DigestTask) => {
  using files = new OpenFiles();
  const sources = 'open' in task ? [FileSource.over(task.open)] : task.files.map((file) => files.source(file));
  parentPort?.postMessage({ id: task.id, digests: sources.map(read) } satisfies DigestResult);
});

/** The other thread reads again what could not be read, and says why. */
function read(source: ByteSource): string | undefined {
  try {
    return sha256Of(source);
  } catch (error) {
    if (!isVouchsafeError(error)) throw error;
    return undefined;
  }
}
