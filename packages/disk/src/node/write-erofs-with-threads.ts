// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { LongWork } from '@vouchsafe/base';
import { type ByteSink, BytesError } from '@vouchsafe/bytes';
import { newOutput } from '../erofs/write/compress-batch.ts';
import type { FileBatch } from '../erofs/write/compressed-files.ts';
import {
  type CompressedRun,
  type ErofsWriteRequest,
  startCompressed,
  type WrittenErofs,
  writeErofsImage,
} from '../erofs/write/write-image.ts';
import { DiskError } from '../error.ts';
import type { CompressionResult, CompressionTask } from './compression-messages.ts';

export interface ErofsThreads extends LongWork {
  /** That compress, besides this one, which reads and writes; as many as there are processors, four at most, unless given. */
  readonly threads?: number | undefined;
}

/** What a worker makes lives in its buffers; its heap need not grow. */
const YOUNG_MIB = 4;
/** Each takes some 25 MiB. */
const MAX_DEFAULT_THREADS = 4;
const MAX_THREADS = 256;
/** Batches given to a worker, so that it never waits for this thread. */
const AHEAD = 2;

/**
 * `writeErofsImage` with the compression in other threads: the same octets whatever their number. However it ends, the
 * threads have ended before it returns.
 * @throws {DiskError} as `planErofsImage`. @throws {BytesError}
 */
export async function writeErofsWithThreads(
  request: ErofsWriteRequest,
  sink: ByteSink,
  offset: number,
  { threads = Math.min(MAX_DEFAULT_THREADS, availableParallelism()), signal, onProgress }: ErofsThreads = {},
): Promise<WrittenErofs> {
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new DiskError('options_invalid', `EROFS: expected 1 to ${MAX_THREADS} threads, found ${threads}`);
  }
  if (request.compression !== 'lz4') return writeErofsImage(request, sink, offset);
  const run = startCompressed({ ...request, signal: signal ?? request.signal }, sink, offset);
  const workers = Array.from({ length: threads }, startWorker);
  try {
    await new Pass(run, workers, { signal, onProgress }).finished;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return run.finish();
}

function startWorker(): Worker {
  // Flags of this process, such as --eval's, are not for it.
  const options = { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } };
  return new Worker(new URL('./compression-worker.ts', import.meta.url), options);
}

/** Gives batches to workers, and writes what comes back in the order of the batches. */
class Pass {
  readonly finished: Promise<void>;
  readonly #run: CompressedRun;
  readonly #batches: Iterator<FileBatch>;
  readonly #work: LongWork;
  readonly #outputs: Uint8Array<ArrayBuffer>[] = [];
  /** Batches that are out, by number, with what became of them when that is known. */
  readonly #out = new Map<number, { readonly batch: FileBatch; result: CompressionResult | undefined }>();
  /** How many batches each worker has. */
  readonly #loads = new Map<Worker, number>();
  #next = 0;
  #written = 0;
  #doneBytes = 0;
  #isRead = false;

  constructor(run: CompressedRun, workers: readonly Worker[], work: LongWork) {
    this.#run = run;
    this.#batches = run.batches[Symbol.iterator]();
    this.#work = work;
    this.finished = new Promise((resolve, reject) => {
      for (const worker of workers) {
        this.#loads.set(worker, 0);
        worker.on('message', (result: CompressionResult) => {
          this.#receive(worker, result).then((isDone) => isDone && resolve(), reject);
        });
        worker.on('error', (error) => reject(threadError(error)));
        worker.on('exit', (code) =>
          reject(new BytesError('io', `a thread ended with ${code} before its work was done`)),
        );
      }
      // What is thrown here rejects.
      this.#feed();
    });
  }

  /** @returns whether all is written. */
  async #receive(worker: Worker, result: CompressionResult): Promise<boolean> {
    this.#work.signal?.throwIfAborted();
    this.#loads.set(worker, (this.#loads.get(worker) as number) - 1);
    (this.#out.get(result.id) as { result: CompressionResult | undefined }).result = result;
    this.#feed();
    for (let first = this.#out.get(this.#written); first?.result !== undefined; first = this.#out.get(this.#written)) {
      this.#out.delete(this.#written++);
      this.#run.write(first.batch, first.result.compressed);
      this.#doneBytes += first.batch.work.ends.at(-1) ?? 0;
      this.#run.buffers.giveBack(first.result.input);
      this.#outputs.push(first.result.compressed.output);
      this.#feed();
    }
    await this.#work.onProgress?.({ phase: 'compressing', done: this.#doneBytes, total: this.#run.inputBytes });
    return this.#isRead && this.#out.size === 0;
  }

  /** The least loaded worker first. Results that wait for an earlier one take memory: so many may be out, and no more. */
  #feed(): void {
    for (let load = 0; load < AHEAD; load++) {
      for (const [worker, has] of this.#loads) {
        if (has > load || this.#isRead || this.#out.size >= this.#loads.size * (AHEAD + 1)) continue;
        const { done, value: batch } = this.#batches.next();
        if (done === true) {
          this.#isRead = true;
          return;
        }
        const task: CompressionTask = { id: this.#next, work: batch.work, output: this.#outputs.pop() ?? newOutput() };
        this.#out.set(this.#next++, { batch, result: undefined });
        this.#loads.set(worker, has + 1);
        worker.postMessage(task, [batch.work.input.buffer, task.output.buffer]);
      }
    }
  }
}

/** What the host's refusal of a thread means to the user; anything else is a defect and stays what it is. */
function threadError(cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INIT_FAILED' && code !== 'ERR_WORKER_OUT_OF_MEMORY') return cause;
  return new BytesError('io', 'the host does not give this process another thread, or its memory', { cause });
}
