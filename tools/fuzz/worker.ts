// SPDX-License-Identifier: Apache-2.0
/** The thread that runs a target, so that fuzz-file.ts can end an input that never returns. */
import { parentPort, workerData } from 'node:worker_threads';
import { execute, executionInput, type FuzzFailure } from './execute.ts';
import { loadTarget } from './targets.ts';

export interface WorkerInput {
  readonly file: string;
  readonly seed: number;
  readonly runs: number;
  /** Progress for the watching thread: executions begun, -1 while loading. */
  readonly begun: SharedArrayBuffer;
}

const { file, seed, runs, begun } = workerData as WorkerInput;
const counter = new Int32Array(begun);
const target = await loadTarget(file);
const seeds = target.seeds();
if (seeds.length === 0) throw new Error(`${file}: its target has no seeds`);

let failure: FuzzFailure | undefined;
const total = seeds.length + runs;
for (let i = 0; i < total && failure === undefined; i++) {
  Atomics.store(counter, 0, i);
  failure = execute({ target, seeds }, executionInput(i, seeds.length, seed));
}
parentPort?.postMessage(failure);
