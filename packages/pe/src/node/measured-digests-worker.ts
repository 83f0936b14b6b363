// SPDX-License-Identifier: Apache-2.0
// Runs in a worker thread: what firmware measures of one file, in every bank, into memory that both threads see.
import { workerData } from 'node:worker_threads';
import { FileSource } from '@vouchsafe/bytes/node';
import { digestMeasuredByFirmware } from '../authenticode/digest.ts';
import { openPe } from '../read/pe-file.ts';
import { DIGEST_ROOM, type MeasuredDigestsJob, STATE } from './measured-digests-job.ts';

const { file, algorithms, state, digests } = workerData as MeasuredDigestsJob;

// The other thread may have lost patience before this one was there.
if (Atomics.compareExchange(state, 0, STATE.waiting, STATE.running) === STATE.waiting) {
  let outcome: number = STATE.failed;
  try {
    const pe = openPe(FileSource.over(file));
    for (const [i, algorithm] of algorithms.entries()) {
      digests.set(digestMeasuredByFirmware(pe, algorithm), i * DIGEST_ROOM);
    }
    outcome = STATE.done;
  } finally {
    // Whatever went wrong goes wrong in the other thread again, where it can be said.
    Atomics.store(state, 0, outcome);
    Atomics.notify(state, 0);
  }
}
