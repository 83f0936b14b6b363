// SPDX-License-Identifier: Apache-2.0
import { CodecError } from './error.ts';

/**
 * A cursor over bytes that it does not own, bounded by a window.
 *
 * After a failed read `pos` and `end` are where the failure left them: whoever catches, as `attempt` does, puts both
 * back.
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the next read starts, in octets from the start of the outermost buffer. */
  pos = 0;
  /** End of the current window. */
  end: number;

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes;
    // Node.js reads files into a subclass whose slice() does not copy; what is decoded must not depend on that.
    this.bytes = bytes.constructor === Uint8Array ? bytes : new Uint8Array(buffer, byteOffset, byteLength);
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.end = byteLength;
  }

  /**
   * Passes over `n` bytes and returns where they start. The only bounds check there is; it also refuses what is not a
   * size, NaN and negative numbers.
   * @throws {CodecError} 'truncated'
   */
  take(n: number): number {
    const at = this.pos;
    if (!(n >= 0 && n <= this.end - at))
      throw new CodecError('truncated', at, `needs ${n} bytes, ${this.end - at} left`);
    this.pos = at + n;
    return at;
  }

  /** A view of the next `n` bytes; not a copy. */
  takeBytes(n: number): Uint8Array {
    const at = this.take(n);
    return this.bytes.subarray(at, at + n);
  }

  /** @throws {CodecError} 'trailing_bytes' unless the window is used up. */
  finish(): void {
    if (this.pos !== this.end) {
      throw new CodecError('trailing_bytes', this.pos, `${this.end - this.pos} bytes left over`);
    }
  }
}
