// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import type { ByteSource } from '@vouchsafe/bytes';
import type { FileSource } from '@vouchsafe/bytes/node';
import { hostFileOf } from '@vouchsafe/disk/node';
import { sha256Of } from '../inspect/sha256-of.ts';
import type { DigestResult, DigestTask } from './digest-messages.ts';

/** What a worker makes lives in one buffer; its heap need not grow. */
const YOUNG_MIB = 4;

type Answer = DigestResult['digests'];

/**
 * SHA-256 in a thread of its own, while this one does something else. What goes wrong in the thread goes wrong here again, where it
 * can be said; without a thread all is digested here. What it was given to read must stay until it is disposed of, after which
 * what was asked for is not answered.
 */
export class DigestThread implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  /** Who waits, by the number of the task. */
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #isOver = false;
  #next = 0;

  constructor() {
    this.#worker = startWorker();
    const giveUp = (): void => {
      this.#isOver = true;
      for (const resolve of this.#waiting.values()) resolve([]);
      this.#waiting.clear();
    };
    if (this.#worker === undefined) giveUp();
    this.#worker?.on('message', ({ id, digests }: DigestResult) => {
      this.#waiting.get(id)?.(digests);
      this.#waiting.delete(id);
    });
    this.#worker?.on('error', giveUp);
    this.#worker?.on('exit', giveUp);
  }

  /** Of an open file, in lower-case hexadecimal. @throws {BytesError} */
  async sha256(file: FileSource): Promise<string> {
    const [digest] = await this.#ask({ open: file.handle });
    return digest ?? sha256Of(file);
  }

  /** Of those contents that are files of a folder and can be read, in lower-case hexadecimal. */
  async sha256OfFiles(contents: readonly ByteSource[]): Promise<ReadonlyMap<ByteSource, string>> {
    const found = contents.flatMap((content) => {
      const file = hostFileOf(content);
      return file === undefined ? [] : [{ content, file }];
    });
    const digests = await this.#ask({ files: found.map(({ file }) => file) });
    return new Map(
      found.flatMap(({ content }, i) => {
        const digest = digests[i];
        return digest === undefined ? [] : [[content, digest] as const];
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody waits any more, and nothing is digested here instead.
    this.#waiting.clear();
    await this.#worker?.terminate();
  }

  #ask(
    what: { readonly open: FileSource['handle'] } | Pick<Extract<DigestTask, { files: unknown }>, 'files'>,
  ): Promise<Answer> {
    if (this.#isOver) return Promise.resolve([]);
    const id = this.#next++;
    this.#worker?.postMessage({ id, ...what } satisfies DigestTask);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}

/** Undefined where the host gives no thread. */
function startWorker(): Worker | undefined {
  try {
    // Flags of this process, such as --eval's, are not for it.
    const options = { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } };
    return new Worker(new URL('./digest-worker.ts', import.meta.url), options);
  } catch {
    return undefined;
  }
}
