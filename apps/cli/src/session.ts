// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import type { LongWork } from '@vouchsafe/base';
import { EXIT, type ExitCode } from './exit-code.ts';
import { ProgressDisplay } from './terminal/progress-display.ts';

/** One run of the command: where it writes, how it ends, and how it is interrupted. */
export class Session {
  /** One JSON document on standard output and nothing else. */
  readonly isJson: boolean;
  exitCode: ExitCode = EXIT.good;
  readonly #progress = new ProgressDisplay();
  readonly #abort = new AbortController();
  readonly #onSignal: () => void;

  constructor(isJson: boolean) {
    this.isJson = isJson;
    this.#onSignal = () => {
      // The second time without ceremony.
      if (this.#abort.signal.aborted) process.exit(EXIT.interrupted);
      this.#abort.abort();
    };
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  get wasInterrupted(): boolean {
    return this.#abort.signal.aborted;
  }

  /** For long operations: shows how far they are, and stops them on Ctrl-C. */
  get work(): LongWork {
    return { signal: this.#abort.signal, onProgress: (progress) => this.#progress.show(progress) };
  }

  /** What the verb has to say: text for people, or the document for programs. */
  answer(text: string, document: unknown): void {
    this.#progress.clear();
    print(
      1,
      this.isJson
        ? `${JSON.stringify(document, jsonValue, 2)}\n`
        : text === '' || text.endsWith('\n')
          ? text
          : `${text}\n`,
    );
  }

  /** A remark that is not the answer, on standard error. */
  note(text: string): void {
    this.#progress.clear();
    print(2, `vouchsafe: ${text}\n`);
  }

  /** What went wrong, on standard error, and as a document where one is expected. */
  fail(code: string, message: string, wasSaid: boolean): void {
    this.#progress.clear();
    if (!wasSaid) print(2, `vouchsafe: ${message}\n`);
    if (this.isJson) print(1, `${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
  }

  close(): void {
    this.#progress.clear();
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}

/** Writes to standard output or standard error, all of it, also where the other end is slow to take it. */
export function print(fd: 1 | 2, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') continue;
      // The reader has gone (`| head`); there is nobody left to tell.
      if (code === 'EPIPE') return;
      throw error;
    }
  }
}

const jsonValue = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
