// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import { printable } from '../printable.ts';
import { writeErr } from '../terminal/standard-streams.ts';

type Style = Parameters<typeof styleText>[0];

const REMARKS_MS = 4000;

/** Shows how far the demo is, on standard error: steps, the commands in them, and what the machines say. */
export class DemoDisplay {
  readonly #startedMs = Date.now();
  #steps = 0;
  #remarkedMs = 0;

  step(what: string): void {
    this.#steps++;
    writeErr(`\n${this.#clock()} ${styled('bold', `${this.#steps}. ${what}`)}\n`);
  }

  command(args: readonly string[]): void {
    const words = args.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`));
    writeErr(`${this.#clock()}    ${styled('cyan', `vouchsafe ${words.join(' ')}`)}\n`);
  }

  note(text: string): void {
    writeErr(`${this.#clock()}    ${styled('dim', printable(text))}\n`);
  }

  /** What a command says of how far it is: not every line of it. */
  remark(text: string): void {
    if (Date.now() - this.#remarkedMs < REMARKS_MS) return;
    this.#remarkedMs = Date.now();
    this.note(text);
  }

  /** What a machine wrote to its serial port, which is anybody's word. */
  machine(name: string, word: string): void {
    writeErr(`${this.#clock()}    ${name.padEnd(8)} ${styled('dim', printable(word))}\n`);
  }

  #clock(): string {
    return styled('dim', `${String(Math.round((Date.now() - this.#startedMs) / 1000)).padStart(4)} s`);
  }
}

/** Colours obey NO_COLOR and go to terminals alone. */
const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stderr });
