// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';

/** Octets that nearly everything is known by. */
const HEAD_BYTES = 8192;

/** The beginning of what is to be recognised, read once. */
export class Head {
  readonly source: ByteSource;
  readonly bytes: Uint8Array;

  constructor(source: ByteSource) {
    this.source = source;
    this.bytes = readBytes(source, 0, Math.min(HEAD_BYTES, source.size));
  }

  /** Whether these octets stand there; also behind the head, where one more read is made. */
  has(offset: number, expected: string | Uint8Array): boolean {
    const wanted = typeof expected === 'string' ? ascii(expected) : expected;
    const end = offset + wanted.length;
    if (offset < 0 || end > this.source.size) return false;
    const found =
      end <= this.bytes.length ? this.bytes.subarray(offset, end) : readBytes(this.source, offset, wanted.length);
    return bytesEqual(found, wanted);
  }

  /** The text that it begins with, as far as it is ASCII. */
  get text(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('latin1');
  }

  view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }
}
