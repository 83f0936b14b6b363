// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import type { LongWork } from '@vouchsafe/base';
import { BytesError, type BytesErrorCode } from '@vouchsafe/bytes';
import { VerityError, type VerityErrorCode } from '../error.ts';
import type { BlockSet, NumberRun } from '../tree/block-set.ts';
import { Climb } from '../tree/climb.ts';
import type { Mismatches } from '../tree/compare.ts';
import type { TreeLayout } from '../tree/layout.ts';
import type { Settle } from '../tree/leaves.ts';
import type { LeafResult, LeafTask, LeafWorkerData } from './leaf-messages.ts';

/** Octets of data that a worker hashes before it reports: short enough to share the work evenly and to stop soon. */
const TASK_BYTES = 32 * 1024 * 1024;
/** Tasks given to a worker at once, so that it never waits for this thread. */
const TASKS_AHEAD = 2;
/**
 * Tasks for each worker that may be given out before the first of them is back. Results wait for their turn, and one
 * slow worker must not make all others' results wait in memory.
 */
const WINDOW = 8;

type Done = Extract<LeafResult, { digests: Uint8Array }>;

/**
 * The same pass as `passOverTree`, with the leaves hashed by several threads. The tree above the leaves is so small that
 * this thread does it while it waits. However it ends, the threads have ended before it returns.
 */
export async function passWithThreads(
  threads: number,
  job: LeafWorkerData,
  layout: TreeLayout,
  settle: Settle,
  found: Mismatches | undefined,
  phase: string,
  work: LongWork,
): Promise<Uint8Array> {
  const { parameters: p } = job;
  const { perBlock, digestBytes } = layout.cells;
  const taskBlocks = Math.max(1, Math.floor(TASK_BYTES / p.dataBlockSize / perBlock)) * perBlock;
  const total = p.dataBlocks * p.dataBlockSize;
  const climb = new Climb(p, layout, settle);
  const accept = ({ digests, mismatched, spare }: Done): void => {
    for (let at = 0; at < digests.length; at += digestBytes) climb.add(digests.subarray(at, at + digestBytes));
    if (found === undefined) return;
    addRuns(found.data, mismatched);
    addRuns(found.spare[0] as BlockSet, spare);
  };

  const tasks = Math.ceil(p.dataBlocks / taskBlocks);
  const count = Math.min(threads, tasks);
  /** Results that came before their turn, fewer than the window. */
  const early = new Map<number, Done>();
  let sent = 0;
  let taken = 0;
  /** Each worker with the number of its tasks. */
  const workers = new Map<Worker, number>();

  const sendAll = (): void => {
    for (let ahead = 1; ahead <= TASKS_AHEAD; ahead++) {
      for (const [worker, has] of workers) {
        if (has >= ahead || sent >= tasks || sent - taken >= WINDOW * count) continue;
        const first = sent * taskBlocks;
        worker.postMessage({ id: sent, first, end: Math.min(p.dataBlocks, first + taskBlocks) } satisfies LeafTask);
        workers.set(worker, has + 1);
        sent++;
      }
    }
  };
  const receive = async (worker: Worker, result: LeafResult): Promise<void> => {
    if ('failure' in result) throw revive(result.failure);
    work.signal?.throwIfAborted();
    workers.set(worker, (workers.get(worker) as number) - 1);
    early.set(result.id, result);
    for (let next = early.get(taken); next !== undefined; next = early.get(taken)) {
      early.delete(taken);
      taken++;
      accept(next);
    }
    sendAll();
    await work.onProgress?.({ phase, done: Math.min(total, taken * taskBlocks * p.dataBlockSize), total });
  };

  work.signal?.throwIfAborted();
  try {
    await new Promise<void>((resolve, reject) => {
      for (let i = 0; i < count; i++) {
        const worker = startWorker(job);
        workers.set(worker, 0);
        worker.on('message', (result: LeafResult) => {
          receive(worker, result).then(() => taken === tasks && resolve(), reject);
        });
        worker.on('error', (error) => reject(threadError(error)));
        // Of no consequence after the end; before, a thread that is gone would be waited for without end.
        worker.on('exit', (code) =>
          reject(new BytesError('io', `a thread ended with ${code} before its work was done`)),
        );
      }
      sendAll();
    });
  } finally {
    await Promise.all([...workers.keys()].map((worker) => worker.terminate()));
  }
  return climb.finish();
}

function startWorker(job: LeafWorkerData): Worker {
  try {
    // Flags of this process, such as --eval's, are not for it.
    return new Worker(new URL('./leaf-worker.ts', import.meta.url), { workerData: job, execArgv: [] });
  } catch (cause) {
    throw threadError(cause);
  }
}

/** What the host's refusal of a thread means to the user; anything else is a defect and stays what it is. */
function threadError(cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INIT_FAILED' && code !== 'ERR_WORKER_OUT_OF_MEMORY') return cause;
  return new BytesError('io', 'the host does not give this process another thread, or its memory; say --threads 1', {
    cause,
  });
}

function addRuns(set: BlockSet, runs: readonly NumberRun[]): void {
  for (const { first, end } of runs) set.addRun(first, end);
}

function revive({ name, code, message }: Extract<LeafResult, { failure: unknown }>['failure']): Error {
  return name === 'BytesError'
    ? new BytesError(code as BytesErrorCode, message)
    : new VerityError(code as VerityErrorCode, message);
}
