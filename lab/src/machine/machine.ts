// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../error.ts';
import { Child } from './child.ts';
import { FIRMWARE_CODE } from './firmware.ts';
import type { MachineRequest } from './machine-request.ts';
import { type BootOutcome, LAST_WORDS, outcomeOf, refusalsOf } from './outcome.ts';
import { PlainText } from './plain-text.ts';
import { qemuArguments } from './qemu-arguments.ts';
import { readResults } from './results.ts';
import { type RunningTpm, startTpm } from './swtpm.ts';

export interface BootResult {
  readonly outcome: BootOutcome;
  /** The serial log, without escape sequences. */
  readonly serial: string;
  /** Files that the guest handed out, by name. */
  readonly results: ReadonlyMap<string, Uint8Array>;
  /** Device paths from which firmware would not start what it found. */
  readonly refusals: readonly string[];
  /**
   * From power-on to the end of boot, by the clock of this machine: the words that were waited for, or else the guest's asking
   * for orders, or its report. Absent when it did not come so far.
   */
  readonly upAfterMs?: number;
}

/** Emulation takes 20 s on a quiet machine, and three times that on a busy one. */
const DEFAULT_TIMEOUT_MS = 240_000;
/** Of the serial log: a guest that talks without end is ended by its time. */
const MAX_SERIAL_CHARACTERS = 64 * 1024 * 1024;
/** What the lab's guest says when it takes orders. */
const ORDERS_WANTED = 'vouchsafe-guest: orders?';
/** What the lab's guests say when their system is up, those that take no orders included. */
const SYSTEM_UP = /vouchsafe-guest: (?:orders\?|reported)/;

/**
 * A virtual machine with OVMF and a TPM of its own, in a folder of its own. It ends by itself: when its guest has switched
 * off, when firmware or kernel refuse to go on, or when its time is over; then nothing of it is left but the result, and the
 * TPM's state where the request names a folder for it.
 */
export class Machine implements AsyncDisposable {
  /** Resolves with how it ended. */
  readonly ended: Promise<BootResult>;
  readonly #qemu: Child;
  readonly #request: MachineRequest;
  readonly #text = new PlainText();
  readonly #watchers = new Set<() => void>();
  #serial = '';
  #isReached = false;
  #isTimeout = false;
  #isStopped = false;
  readonly #startedMs = performance.now();
  #upAfterMs: number | undefined;
  /** The lines that orders have become, and up to where the guest's questions were answered with them. */
  #answerText: string | undefined;
  #answeredTo = 0;

  private constructor(request: MachineRequest, args: readonly string[], workDir: string, tpm: RunningTpm) {
    this.#request = request;
    this.#qemu = Child.start('qemu-system-x86_64', args, (bytes) => this.#take(bytes));
    this.ended = this.#end(workDir, tpm);
    // Whoever waits hears of it; nobody may.
    this.ended.catch(() => undefined);
  }

  /**
   * Starts it, and returns while it boots.
   * @throws {LabError} 'input_missing', 'tool_failed'. A machine that QEMU does not take rejects `ended`.
   */
  static async start(request: MachineRequest): Promise<Machine> {
    const disks = [request.disk, ...(request.furtherDisks ?? [])];
    for (const path of [...disks, request.firmwareVariables]) {
      if (!existsSync(path)) throw new LabError('input_missing', `${path}: expected a file, found none`);
    }
    if (!existsSync(FIRMWARE_CODE)) {
      throw new LabError('input_missing', `${FIRMWARE_CODE}: expected OVMF there, found none; install Debian's ovmf`);
    }
    // A short path: Unix sockets take 107 octets.
    const workDir = mkdtempSync(join(tmpdir(), 'vouchsafe-vm-'));
    const remove = (): void => rmSync(workDir, { recursive: true, force: true });
    try {
      const files = {
        firmwareCode: FIRMWARE_CODE,
        firmwareVariables: join(workDir, 'variables.fd'),
        disks,
        results: resultsIn(workDir),
      };
      copyFileSync(request.firmwareVariables, files.firmwareVariables);
      const tpm = await startTpm(request.tpmState ?? join(workDir, 'tpm-state'), workDir);
      return new Machine(request, qemuArguments({ ...files, tpmSocket: tpm.socketPath }, request), workDir, tpm);
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** What it has written to its serial port so far, without escape sequences. */
  get serial(): string {
    return this.#serial;
  }

  get isRunning(): boolean {
    return !this.#qemu.hasExited;
  }

  /**
   * Waits for words on the serial port, those that have come already included.
   * @throws {LabError} 'machine_ended' when it ends without them.
   */
  async waitForSerial(words: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = words.exec(this.#serial);
      if (found !== null) return found;
      if (!this.isRunning) {
        throw new LabError('machine_ended', `expected ${words} on the serial port; the machine ended without it`);
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** Types on the serial port. Firmware takes a key for the wish to see its menu: wait until the guest reads. */
  writeSerial(text: string): void {
    this.#qemu.write(text);
  }

  /** Switches it off, as pulling the plug does. */
  async stop(): Promise<BootResult> {
    if (this.isRunning) {
      this.#isStopped = true;
      await this.#qemu.stop();
    }
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  #take(bytes: Uint8Array): void {
    const text = this.#text.push(bytes);
    if (text === '' || this.#serial.length > MAX_SERIAL_CHARACTERS) return;
    // Words that are looked for may have begun in what came before.
    const from = Math.max(0, this.#serial.length - 256);
    this.#serial += text;
    this.#request.onSerial?.(text);
    const recent = this.#serial.slice(from);
    this.#answer();
    const { until } = this.#request;
    if (until?.test(recent) === true) this.#isReached = true;
    if (this.#isReached || (until === undefined && SYSTEM_UP.test(recent))) {
      this.#upAfterMs ??= performance.now() - this.#startedMs;
    }
    if (this.#isReached || LAST_WORDS.test(recent)) void this.#qemu.stop();
    this.#wake();
  }

  /** A guest may ask again; what is done for its orders is done once. */
  #answer(): void {
    const at = this.#serial.indexOf(ORDERS_WANTED, this.#answeredTo);
    if (at < 0) return;
    this.#answeredTo = at + ORDERS_WANTED.length;
    const { orders = [] } = this.#request;
    this.#answerText ??= `${[...(typeof orders === 'function' ? orders() : orders), 'report'].join('\n')}\n`;
    this.writeSerial(this.#answerText);
  }

  #wake(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of watchers) wake();
  }

  async #end(workDir: string, tpm: RunningTpm): Promise<BootResult> {
    const timer = setTimeout(() => {
      this.#isTimeout = true;
      void this.#qemu.stop();
    }, this.#request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    try {
      const code = await this.#qemu.exited.catch((cause: Error) => {
        throw new LabError('tool_failed', `qemu-system-x86_64 did not start: ${cause.message}`, { cause });
      });
      if (code !== 0 && code !== null && this.#serial === '') {
        throw new LabError('tool_failed', `qemu-system-x86_64 ended with ${code}: ${this.#qemu.complaint}`);
      }
      const results = readResults(resultsIn(workDir));
      const outcome = outcomeOf(this.#serial, {
        hasResults: results.size > 0,
        isReached: this.#isReached,
        isTimeout: this.#isTimeout,
        isStopped: this.#isStopped,
      });
      return {
        ...{ outcome, serial: this.#serial, results, refusals: refusalsOf(this.#serial) },
        ...(this.#upAfterMs === undefined ? {} : { upAfterMs: Math.round(this.#upAfterMs) }),
      };
    } finally {
      clearTimeout(timer);
      await tpm.stop();
      rmSync(workDir, { recursive: true, force: true });
      this.#wake();
    }
  }
}

const resultsIn = (workDir: string): string => join(workDir, 'results.cpio');

/** Boots a disk image on a machine of its own and waits for how it ends. Leaves nothing behind. */
export async function bootDisk(request: MachineRequest): Promise<BootResult> {
  const machine = await Machine.start(request);
  return await machine.ended;
}
