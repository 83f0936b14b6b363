// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DemoError } from './error.ts';

/** Found when it is needed: the program of a verb lies elsewhere, at the same depth. */
const launcher = (): string => fileURLToPath(new URL('../../../../vouchsafe', import.meta.url));

/** What an ended command said. */
interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The commands of this checkout, as whoever follows the documentation runs them. */
export class Commands {
  readonly #service: string;
  readonly #cwd: string;
  readonly #onRemark: (line: string) => void;

  /** @param cwd where commands run. @param service the operator's file. @param onRemark hears what they say meanwhile. */
  constructor(cwd: string, service: string, onRemark: (line: string) => void) {
    this.#cwd = cwd;
    this.#service = service;
    this.#onRemark = onRemark;
  }

  /**
   * Runs one to its end.
   * @returns the document that it prints.
   * @throws {DemoError} 'step_failed' with what it said, for any status but 0.
   */
  async run(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.#ended([...args, '--json']);
    if (code !== 0) {
      const said = stderr.trim().split('\n').slice(-5).join('\n');
      throw new DemoError('step_failed', `vouchsafe ${args.join(' ')} ended with ${code}:\n${said}`);
    }
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  }

  #ended(args: readonly string[]): Promise<Said> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, VOUCHSAFE_SERVICE: this.#service };
      const child = spawn(launcher(), args, { cwd: this.#cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => void out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => {
        err.push(chunk);
        for (const line of chunk.toString().split('\n')) if (line.trim() !== '') this.#onRemark(line.trim());
      });
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
      });
    });
  }
}

/** A service that runs beside, until it is stopped. */
export class ServeCommand implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
  }

  /**
   * Starts it, and returns when it serves.
   * @param logPath where its log goes.
   * @throws {DemoError} 'step_failed' when it ends instead.
   */
  static async start(cwd: string, logPath: string, args: readonly string[]): Promise<ServeCommand> {
    const log = openSync(logPath, 'w', 0o600);
    const child = spawn(launcher(), ['serve', ...args, '--json'], { cwd, stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    const service = new ServeCommand(child);
    const serves = new Promise<boolean>((resolve) => child.stdout?.once('data', () => resolve(true)));
    if (await Promise.race([serves, service.#ended.then(() => false)])) return service;
    const said = readFileSync(logPath, 'utf8').trim().split('\n').slice(-5).join('\n');
    throw new DemoError('step_failed', `vouchsafe serve ended at once:\n${said}`);
  }

  /** Resolves when it has ended by itself. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
