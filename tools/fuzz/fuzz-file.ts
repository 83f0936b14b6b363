// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { executionInput, type FuzzFailure, inputBytes, toHexText } from './execute.ts';
import { loadTarget } from './targets.ts';
import type { WorkerInput } from './worker.ts';

export interface FuzzOptions {
  /** Number of the first mutation. */
  readonly seed: number;
  /** Mutations; the seeds as they are come before them. */
  readonly runs: number;
  /** An input that takes longer is a failure. */
  readonly timeoutMs: number;
}

export interface FuzzReport {
  readonly executions: number;
  readonly wallMs: number;
  /** The first failure; the run ends with it. */
  readonly failure: FuzzFailure | undefined;
}

/** Memory of the thread: far more than a bounded parser needs, far less than the machine has. */
const MAX_HEAP_MB = 512;
const POLL_MS = 100;

/** Runs the target of one file in a thread, and ends the thread when an input does not return. */
export async function fuzzFile(file: string, { seed, runs, timeoutMs }: FuzzOptions): Promise<FuzzReport> {
  const seeds = (await loadTarget(file)).seeds();
  const begun = new SharedArrayBuffer(4);
  const counter = new Int32Array(begun).fill(-1);
  const start = performance.now();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { file, seed, runs, begun } satisfies WorkerInput,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const abandoned = new AbortController();
  try {
    const failureAt = (problem: string): FuzzFailure => {
      const input = executionInput(Atomics.load(counter, 0), seeds.length, seed);
      return { input, problem, hex: toHexText(inputBytes(seeds, input)) };
    };
    const failure = await Promise.race([
      ended(worker, failureAt),
      stuck(counter, timeoutMs, abandoned.signal).then(() => failureAt(`not done after ${timeoutMs / 1000} s`)),
    ]);
    return { executions: Atomics.load(counter, 0) + 1, wallMs: performance.now() - start, failure };
  } finally {
    abandoned.abort();
    await worker.terminate();
  }
}

/** Settles with the thread's own result; running out of memory ends the thread and is the input's fault. */
function ended(worker: Worker, failureAt: (problem: string) => FuzzFailure): Promise<FuzzFailure | undefined> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(failureAt(inspect(error)));
      else reject(error);
    });
  });
}

/** Settles when one execution has lasted longer than `timeoutMs`. */
async function stuck(counter: Int32Array, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let last = -1;
  let since = performance.now();
  while (!signal.aborted) {
    await sleep(POLL_MS);
    const current = Atomics.load(counter, 0);
    if (current !== last) {
      last = current;
      since = performance.now();
    } else if (current >= 0 && performance.now() - since > timeoutMs) return;
  }
}
