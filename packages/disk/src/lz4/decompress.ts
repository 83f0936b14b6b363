// SPDX-License-Identifier: Apache-2.0

/** An LZ4 block that cannot be, at an octet of the input. */
export class Lz4Fault extends Error {
  readonly offset: number;

  constructor(offset: number, problem: string) {
    super(problem);
    this.offset = offset;
  }
}

const MIN_MATCH = 4;
const TOKEN_MAX = 15;

/**
 * Decompresses the start of an LZ4 block, until `output` is full: never more than that, whatever the input says. What
 * follows in the input is not looked at.
 * @throws {Lz4Fault} when the input ends or refers to before the output's start.
 */
export function decompressLz4(input: Uint8Array, output: Uint8Array): void {
  let at = 0;
  let out = 0;
  const size = output.length;
  while (out < size) {
    const token = octet(input, at++);
    let literals = token >> 4;
    if (literals === TOKEN_MAX) {
      let more: number;
      do {
        more = octet(input, at++);
        literals += more;
      } while (more === 255);
    }
    literals = Math.min(literals, size - out);
    if (at + literals > input.length) throw new Lz4Fault(at, 'literals beyond the end');
    if (literals < 32) for (let i = 0; i < literals; i++) output[out + i] = input[at + i] as number;
    else output.set(input.subarray(at, at + literals), out);
    at += literals;
    out += literals;
    if (out === size) return;
    const distance = octet(input, at) | (octet(input, at + 1) << 8);
    at += 2;
    if (distance === 0 || distance > out) throw new Lz4Fault(at, `a distance of ${distance} after ${out} octets`);
    let length = token & TOKEN_MAX;
    if (length === TOKEN_MAX) {
      let more: number;
      do {
        more = octet(input, at++);
        length += more;
      } while (more === 255);
    }
    length = Math.min(length + MIN_MATCH, size - out);
    // Octet by octet where source and target overlap: a short distance repeats what it makes.
    if (length < 32 || distance < length) {
      for (let i = 0; i < length; i++) output[out + i] = output[out - distance + i] as number;
    } else {
      output.copyWithin(out, out - distance, out - distance + length);
    }
    out += length;
  }
}

function octet(input: Uint8Array, at: number): number {
  if (at >= input.length) throw new Lz4Fault(at, 'the input ends');
  return input[at] as number;
}
