// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import type { FileSource } from '@vouchsafe/bytes/node';
import { sha256Of } from '../inspect/sha256-of.ts';

/** What a worker makes lives in one buffer; its heap need not grow. */
const YOUNG_MIB = 4;

/** The SHA-256 of an open file, computed in a thread of its own; the file must stay open until it is disposed of. */
export class ThreadDigest implements AsyncDisposable {
  readonly #file: FileSource;
  readonly #worker: Worker | undefined;
  /** Undefined when the thread has failed. */
  readonly #answer: Promise<string | undefined>;

  private constructor(file: FileSource, worker: Worker | undefined) {
    this.#file = file;
    this.#worker = worker;
    this.#answer = new Promise((resolve) => {
      if (worker === undefined) return resolve(undefined);
      worker.on('message', resolve);
      worker.on('error', () => resolve(undefined));
      worker.on('exit', () => resolve(undefined));
    });
  }

  static start(file: FileSource): ThreadDigest {
    return new ThreadDigest(file, startWorker(file));
  }

  /** In lower-case hexadecimal. Whatever went wrong in the thread goes wrong here again, where it can be said. @throws {BytesError} */
  async sha256(): Promise<string> {
    return (await this.#answer) ?? sha256Of(this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** Undefined where the host gives no thread. */
function startWorker(file: FileSource): Worker | undefined {
  try {
    // Flags of this process, such as --eval's, are not for it.
    const options = { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } };
    return new Worker(new URL('./digest-worker.ts', import.meta.url), { workerData: file.handle, ...options });
  } catch {
    return undefined;
  }
}
