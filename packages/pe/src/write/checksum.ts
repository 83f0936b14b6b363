// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { CHUNK_BYTES } from '../limits.ts';

/** Words are added as the host has them; a one's complement sum only changes its byte order by that (RFC 1071, 2 (B)). */
const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The CheckSum of a PE file: its 16-bit little-endian words added with the carry brought round, with CheckSum itself as
 * zero, plus the file's size. PE Format, "Optional Header Windows-Specific Fields (Image Only)", names the field; the sum
 * is that of IMAGEHLP.DLL's CheckSumMappedFile. Firmware does not look at it.
 */
export class PeChecksum {
  /** Modulo 0xffff, which 2^16 is congruent to 1 of, so that 32-bit words give the same sum as their halves. */
  #sum = 0;
  #isZero = true;

  /** Adds octets that begin at an even offset of the file; an odd last one counts as if a zero followed. */
  add(bytes: Uint8Array): this {
    const whole = bytes.length - (bytes.length % 4);
    let sum = 0;
    if (bytes.byteOffset % 4 === 0) {
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, whole / 4);
      sum = sumOf(words);
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, whole);
      for (let at = 0; at < whole; at += 4) sum += view.getUint32(at, HOST_IS_LITTLE_ENDIAN);
    }
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    sum += new DataView(tail.buffer).getUint32(0, HOST_IS_LITTLE_ENDIAN);
    if (sum !== 0) this.#isZero = false;
    this.#sum = (this.#sum + sum) % 0xffff;
    return this;
  }

  /**
   * Adds a file by its CheckSum, without a part of it.
   * @param sizeBytes of that file.
   * @param part with CheckSum as zero, if it is in there.
   * @returns false, and adds nothing, when CheckSum is none that `finish` makes: files without one have 0.
   */
  addKnown(checkSum: number, sizeBytes: number, part: PeChecksum): boolean {
    const words = checkSum - sizeBytes;
    if (words <= 0 || words > 0xffff) return false;
    const sum = HOST_IS_LITTLE_ENDIAN ? words : ((words & 0xff) << 8) | (words >> 8);
    this.#isZero = false;
    this.#sum = (this.#sum + sum + 0xffff - part.#sum) % 0xffff;
    return true;
  }

  /** @param sizeBytes of the whole file. */
  finish(sizeBytes: number): number {
    // Bringing the carry round never makes zero out of something else; the remainder does.
    const folded = this.#sum === 0 && !this.#isZero ? 0xffff : this.#sum;
    const words = HOST_IS_LITTLE_ENDIAN ? folded : ((folded & 0xff) << 8) | (folded >> 8);
    return (words + sizeBytes) % 2 ** 32;
  }
}

/**
 * By index, as an iterator takes three times as long, and in four sums, as each addition would wait for the one before.
 * Exact: a chunk's sum is far below 2^53.
 */
function sumOf(words: Uint32Array): number {
  const whole = words.length - (words.length % 4);
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    first += words[i] as number;
    second += words[i + 1] as number;
    third += words[i + 2] as number;
    fourth += words[i + 3] as number;
  }
  for (let i = whole; i < words.length; i++) first += words[i] as number;
  return first + second + third + fourth;
}

/**
 * The CheckSum that the file should have.
 * @param checkSumOffset of the field in the file, which counts as zero.
 */
export function checksumOf(source: ByteSource, checkSumOffset: number): number {
  const checksum = new PeChecksum();
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, source.size + (source.size % 2)));
  for (let at = 0; at < source.size; at += buffer.length) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    source.read(at, chunk);
    for (let i = Math.max(0, checkSumOffset - at); i < Math.min(chunk.length, checkSumOffset + 4 - at); i++)
      chunk[i] = 0;
    checksum.add(chunk);
  }
  return checksum.finish(source.size);
}
