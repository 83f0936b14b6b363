// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import type { FileSource } from '@vouchsafe/bytes/node';
import { digestSize } from '@vouchsafe/crypto';
import type { AuthenticodeAlgorithm } from '../authenticode/digest.ts';
import { DIGEST_ROOM, type MeasuredDigestsJob, STATE } from './measured-digests-job.ts';

/** Digests that another thread computes. */
export interface StartedDigests {
  /**
   * Waits for them, holding this thread; undefined when the other one has not begun or has failed, and the caller is to
   * compute them.
   */
  take(): ReadonlyMap<AuthenticodeAlgorithm, Uint8Array> | undefined;
}

/**
 * Starts to compute what firmware measures of a PE file (`digestMeasuredByFirmware`) in a thread of its own, while this one
 * hashes the same file in another way. The file must stay open until `take`.
 * @returns undefined where the host gives no thread.
 */
export function startMeasuredDigests(
  file: FileSource,
  algorithms: readonly AuthenticodeAlgorithm[],
): StartedDigests | undefined {
  const job: MeasuredDigestsJob = {
    file: file.handle,
    algorithms,
    state: new Int32Array(new SharedArrayBuffer(4)),
    digests: new Uint8Array(new SharedArrayBuffer(DIGEST_ROOM * algorithms.length)),
  };
  let worker: Worker;
  try {
    // Flags of this process, such as --eval's, are not for it.
    worker = new Worker(new URL('./measured-digests-worker.ts', import.meta.url), { workerData: job, execArgv: [] });
  } catch {
    return undefined;
  }
  worker.on('error', () => undefined);
  worker.unref();
  return { take: () => take(job) };
}

function take({
  state,
  algorithms,
  digests,
}: MeasuredDigestsJob): ReadonlyMap<AuthenticodeAlgorithm, Uint8Array> | undefined {
  if (Atomics.compareExchange(state, 0, STATE.waiting, STATE.taken) === STATE.waiting) return undefined;
  Atomics.wait(state, 0, STATE.running);
  if (Atomics.load(state, 0) !== STATE.done) return undefined;
  return new Map(
    algorithms.map((algorithm, i) => {
      const at = i * DIGEST_ROOM;
      return [algorithm, digests.slice(at, at + digestSize(algorithm))];
    }),
  );
}
