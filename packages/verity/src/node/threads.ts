// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { VerityError } from '../error.ts';

/** Below this many octets of data, starting threads takes longer than they save (docs/benchmarks.md). */
const WORTH_THREADS_BYTES = 256 * 1024 * 1024;
/** A thread takes 18 MiB; with three the whole stays below 128 MiB. Who has memory and cores says --threads. */
const MAX_DEFAULT_THREADS = 3;
const MAX_WANTED_THREADS = 256;

/**
 * How many threads to hash with: as told, or as the machine and the size suggest. 1 means none besides this one.
 * @throws {VerityError} 'options_invalid' for what is not a number of threads.
 */
export function threadsFor(dataBytes: number, wanted: number | undefined): number {
  if (wanted !== undefined) {
    if (!Number.isSafeInteger(wanted) || wanted < 0)
      throw new VerityError('options_invalid', `${wanted} threads are not possible`);
    return Math.max(1, Math.min(wanted, MAX_WANTED_THREADS));
  }
  return dataBytes < WORTH_THREADS_BYTES ? 1 : Math.min(MAX_DEFAULT_THREADS, availableParallelism());
}
