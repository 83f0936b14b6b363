// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import { formatBytes, type Progress } from '@vouchsafe/base';
import { writeErr } from './standard-streams.ts';

/** Work that ends sooner is not worth a line. */
const QUIET_MS = 1000;
const REDRAW_MS = 100;
/** How long the event loop may stand still. */
const YIELD_MS = 30;
/** Where there is no terminal: a line for each so much of the work. */
const LINE_SHARE = 0.1;

/** Shows on standard error how far long work is: a line that is redrawn on a terminal, plain lines elsewhere. */
export class ProgressDisplay {
  #phase = '';
  #startedMs = 0;
  #yieldedMs = Date.now();
  #drawnMs = 0;
  #saidShare = 0;
  #isDrawn = false;

  /** Now and then the result is a promise that lets the event loop turn, so that Ctrl-C is heard. */
  show(progress: Progress): void | Promise<void> {
    const nowMs = Date.now();
    if (progress.phase !== this.#phase) {
      this.clear();
      this.#phase = progress.phase;
      this.#startedMs = nowMs;
      this.#saidShare = 0;
    }
    if (nowMs - this.#startedMs >= QUIET_MS && progress.total > 0) this.#say(progress, nowMs);
    if (nowMs - this.#yieldedMs < YIELD_MS) return undefined;
    this.#yieldedMs = nowMs;
    return new Promise((resolve) => setImmediate(resolve));
  }

  clear(): void {
    if (this.#isDrawn) writeErr('\r\x1b[K');
    this.#isDrawn = false;
  }

  #say({ phase, done, total }: Progress, nowMs: number): void {
    const share = done / total;
    // Not process.stderr.isTTY: Node.js takes milliseconds to make the stream.
    if (isatty(2)) {
      if (nowMs - this.#drawnMs < REDRAW_MS) return;
      this.#drawnMs = nowMs;
      const perSecond = (done / (nowMs - this.#startedMs)) * 1000;
      writeErr(
        `\r\x1b[K${phase} ${bar(share)} ${percent(share)}  ${formatBytes(done)} of ${formatBytes(total)}, ${formatBytes(perSecond)}/s`,
      );
      this.#isDrawn = true;
    } else if (share - this.#saidShare >= LINE_SHARE) {
      this.#saidShare = share;
      writeErr(`${phase}: ${percent(share)} of ${formatBytes(total)}\n`);
    }
  }
}

const percent = (share: number): string => `${Math.floor(share * 100)}%`.padStart(4);

function bar(share: number): string {
  const width = 24;
  const filled = Math.round(share * width);
  return `[${'='.repeat(filled)}${' '.repeat(width - filled)}]`;
}
