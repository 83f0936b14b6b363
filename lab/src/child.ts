// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';

/** How long a process may take to end when it is asked to, before it is killed. */
const GRACE_MS = 2000;

/** A process that we started; nothing else is ever stopped by us. */
export class Child {
  readonly #process: ChildProcess;
  readonly exited: Promise<number | null>;
  #hasExited = false;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.exited = new Promise((resolve, reject) => {
      process.once('error', reject);
      process.once('exit', (code) => {
        this.#hasExited = true;
        resolve(code);
      });
    });
    // Whoever waits for it hears of a failure to start; nobody may, and that must not end this process.
    this.exited.catch(() => undefined);
  }

  static start(program: string, args: readonly string[]): Child {
    return new Child(spawn(program, args, { stdio: 'ignore' }));
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Asks it to end, then ends it; returns when it has ended. */
  async stop(): Promise<void> {
    if (this.#hasExited) return;
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
    await this.exited.catch(() => null);
    clearTimeout(timer);
  }
}
