// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal, LongWork } from '@vouchsafe/base';
import { EXIT, type ExitCode } from './exit-code.ts';
import { printable } from './printable.ts';
import { ProgressDisplay } from './terminal/progress-display.ts';
import { writeErr, writeOut } from './terminal/standard-streams.ts';
import { UsageError } from './usage-error.ts';

const SIGNALS = { SIGHUP: EXIT.hungUp, SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
type EndSignal = keyof typeof SIGNALS;

/** One run of the command: where it writes, how it ends, and how it is interrupted. */
export class Session {
  /** One JSON document on standard output and nothing else. */
  readonly isJson: boolean;
  exitCode: ExitCode = EXIT.good;
  /** What an interrupted run leaves behind, for the message; a verb that writes says it, without a full stop. */
  whenInterrupted = '';
  readonly #progress = new ProgressDisplay();
  /** The signal that came first. */
  #signal: EndSignal | undefined;
  #hasBytesOnOutput = false;

  constructor(isJson: boolean) {
    this.isJson = isJson;
    for (const signal of Object.keys(SIGNALS)) process.on(signal, this.#onSignal);
  }

  /** How a run that was interrupted ends; undefined when it was not. */
  get interruption(): ExitCode | undefined {
    return this.#signal && SIGNALS[this.#signal];
  }

  /** For long operations: shows how far they are, and stops them on Ctrl-C. */
  get work(): LongWork {
    return { signal: this.#cancel, onProgress: (progress) => this.#progress.show(progress) };
  }

  /**
   * What the verb has to say: text for people, or the document for programs. Where standard output carries the bytes of
   * a file (`claimOutput`), the text goes to standard error.
   * @throws {BytesError} when standard output does not take it.
   */
  answer(text: string, document: unknown): void {
    this.#progress.clear();
    if (this.isJson) writeOut(utf8Line(JSON.stringify(document, jsonValue, 2)));
    else if (this.#hasBytesOnOutput) writeErr(asLine(text));
    else writeOut(utf8Line(text));
  }

  /**
   * Says that standard output will carry the bytes of a file.
   * @param option what asks for it, as '--output'.
   * @throws {UsageError} when something else has it.
   */
  claimOutput(option: string): void {
    if (this.isJson) throw new UsageError(`${option} - and --json both write to standard output; name a file`);
    if (this.#hasBytesOnOutput)
      throw new UsageError(`${option} -: something else goes to standard output; name a file`);
    this.#hasBytesOnOutput = true;
  }

  /**
   * Bytes of a file, for standard output.
   * @returns false when the reader has gone, and the rest can be spared.
   */
  writeBytes(bytes: Uint8Array): boolean {
    this.#progress.clear();
    return writeOut(bytes);
  }

  /** A remark that is not the answer, on standard error. */
  note(text: string): void {
    this.#progress.clear();
    writeErr(`vouchsafe: ${printable(text)}\n`);
  }

  /** What went wrong, on standard error, and as a document where one is expected. Never throws. */
  fail(code: string, message: string, wasSaid: boolean): void {
    this.#progress.clear();
    // A message may quote a file that nobody vouches for.
    if (!wasSaid) writeErr(`vouchsafe: ${printable(message)}\n`);
    if (!this.isJson) return;
    try {
      writeOut(utf8Line(JSON.stringify({ error: { code, message } }, null, 2)));
    } catch {
      // Standard output may be what has failed; standard error and the exit status have said it.
    }
  }

  failInterrupted(): void {
    this.fail('interrupted', ['interrupted', this.whenInterrupted].filter((text) => text !== '').join('; '), false);
  }

  close(): void {
    this.#progress.clear();
    for (const signal of Object.keys(SIGNALS)) process.off(signal, this.#onSignal);
  }

  /** Not an AbortSignal: Node.js takes a millisecond to load what it is made of. */
  readonly #cancel: CancelSignal = {
    throwIfAborted: () => {
      if (this.interruption !== undefined) throw new Error('interrupted');
    },
  };

  readonly #onSignal = (signal: EndSignal): void => {
    // The second time the work is not waited for; outputs that are not complete remove themselves as the process ends.
    if (this.interruption !== undefined) {
      this.failInterrupted();
      process.exit(this.interruption);
    }
    this.#signal = signal;
  };
}

const asLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
const utf8Line = (text: string): Uint8Array => Buffer.from(asLine(text));
const jsonValue = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
