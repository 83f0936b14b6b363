// SPDX-License-Identifier: Apache-2.0

/** Escape, then the firmware's cursor movements and colours, and what systemd asks of a terminal. ECMA-48, section 5.4. */
const SEQUENCE = new RegExp(`${String.fromCharCode(0x1b)}(?:\\[[0-9;?<=>!]*[ -/]*[@-~]|[^\\[])`, 'g');
/** One that may go on in what is still to come. */
const UNFINISHED = new RegExp(`${String.fromCharCode(0x1b)}(?:\\[[0-9;?<=>!]*[ -/]*)?$`);

/** Takes escape sequences out of a stream, wherever it is cut. */
export class PlainText {
  #rest = '';

  /** @returns the text that is complete, octet by octet as Latin-1. */
  push(bytes: Uint8Array): string {
    const text = this.#rest + Buffer.from(bytes).toString('latin1');
    const whole = text.replace(UNFINISHED, '');
    this.#rest = text.slice(whole.length);
    return whole.replace(SEQUENCE, '');
  }
}
