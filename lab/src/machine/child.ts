// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';

/** How long a process may take to end when it is asked to, before it is killed. */
const GRACE_MS = 2000;
/** Of what it says on standard error, for messages. */
const MAX_COMPLAINT_CHARACTERS = 4000;

/** Those that run. They must not outlive this process, however it ends; short of SIGKILL it can see to that. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that we started; nothing else is ever stopped by us. */
export class Child {
  readonly #process: ChildProcess;
  /** Its exit status; null when a signal ended it. Rejected when it did not start. */
  readonly exited: Promise<number | null>;
  #hasExited = false;
  #complaint = '';

  private constructor(child: ChildProcess) {
    this.#process = child;
    running.add(child);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-MAX_COMPLAINT_CHARACTERS);
    });
    // Writing to one that has just ended is no failure of ours.
    child.stdin?.on('error', () => undefined);
    this.exited = new Promise((resolve, reject) => {
      const end = (): void => {
        running.delete(child);
        this.#hasExited = true;
      };
      child.once('error', (error) => {
        end();
        reject(error);
      });
      // 'close' comes after the last of its output, 'exit' may come before.
      child.once('close', (code) => {
        end();
        resolve(code);
      });
    });
    // Whoever waits for it hears of a failure to start; nobody may, and that must not end this process.
    this.exited.catch(() => undefined);
  }

  /** @param onOutput called with what it writes to standard output. */
  static start(program: string, args: readonly string[], onOutput?: (bytes: Uint8Array) => void): Child {
    const child = spawn(program, args, { stdio: ['pipe', onOutput === undefined ? 'ignore' : 'pipe', 'pipe'] });
    if (onOutput !== undefined) child.stdout?.on('data', onOutput);
    return new Child(child);
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The last that it said on standard error. */
  get complaint(): string {
    return this.#complaint.trim();
  }

  /** Gives it something on standard input. */
  write(text: string): void {
    this.#process.stdin?.write(text);
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
