// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BootResult, Machine } from '@vouchsafe/lab/boot';
import { DemoError } from './error.ts';

/** Node.js, and a root in the page cache. */
const SHAPE = { memoryMib: 768, processors: 1 } as const;
const TIMEOUT_MS = 15 * 60_000;

export interface DemoMachineRequest {
  readonly name: string;
  readonly disk: string;
  readonly variables: string;
  readonly tpmState: string;
  readonly token: string;
  /** Called with what the machine says of itself. */
  readonly onWord: (word: string) => void;
}

/** A machine that boots, joins and attests, as lab/guest/join.sh has it. */
export class DemoMachine implements AsyncDisposable {
  readonly name: string;
  readonly #machine: Machine;

  private constructor(name: string, machine: Machine) {
    this.name = name;
    this.#machine = machine;
  }

  static async start({ name, disk, variables, tpmState, token, onWord }: DemoMachineRequest): Promise<DemoMachine> {
    let line = '';
    const machine = await Machine.start({
      disk,
      firmwareVariables: variables,
      tpmState,
      shape: SHAPE,
      network: {},
      credentials: { 'vouchsafe.token': token },
      orders: ['join'],
      timeoutMs: TIMEOUT_MS,
      onSerial: (text) => {
        const lines = (line + text).split(/\r?\n/);
        line = lines.pop() ?? '';
        for (const whole of lines) {
          const word = /vouchsafe-(?:guest|initrd): (?!orders\?)(.*)/.exec(whole)?.[1];
          if (word !== undefined) onWord(word);
        }
      },
    });
    return new DemoMachine(name, machine);
  }

  /** Waits until it has attested for the first time. @throws {DemoError} 'step_failed' */
  async attested(): Promise<void> {
    await Promise.race([
      this.#machine.waitForSerial(/vouchsafe-guest: attested: /).catch(() => undefined),
      this.#machine.ended,
    ]);
    if (/vouchsafe-guest: attested: /.test(this.#machine.serial)) return;
    const last = this.#machine.serial.trim().split('\n').slice(-8).join('\n');
    throw new DemoError('step_failed', `${this.name}: the machine did not come to attest; the last it said:\n${last}`);
  }

  /** Waits until it has switched off, and keeps what it handed out. */
  async end(folder: string): Promise<BootResult> {
    const result = await this.#machine.ended;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'serial.log'), result.serial);
    for (const [name, bytes] of result.results) {
      if (name.split('/').some((part) => part === '' || part === '.' || part === '..')) continue;
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes, { mode: 0o600 });
    }
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine.stop().catch(() => undefined);
  }
}
