// SPDX-License-Identifier: Apache-2.0

const MIN_MATCH = 4;
const LENGTH_MORE = 15;

/**
 * Decompresses one whole LZ4 block behind what is there already, which it may refer to. LZ4 block format description,
 * 2022-07-31.
 * @param output holds `start` octets; the block's own come behind them.
 * @param refuse called with an octet of the input where the block cannot be.
 * @returns where the output ends; the output never grows beyond its array.
 */
export function decodeLinkedBlock(
  input: Uint8Array,
  output: Uint8Array,
  start: number,
  refuse: (at: number, problem: string) => never,
): number {
  let at = 0;
  let out = start;
  const lengthFrom = (token: number): number => {
    let length = token;
    if (token !== LENGTH_MORE) return length;
    let more = 255;
    while (more === 255) {
      if (at >= input.length) refuse(at, 'expected more of a length, found the end of the block');
      more = input[at++] as number;
      length += more;
    }
    return length;
  };
  if (input.length === 0) refuse(0, 'expected a block, found nothing');
  for (;;) {
    const token = input[at++] as number;
    const literals = lengthFrom(token >> 4);
    if (literals > input.length - at) refuse(at, `expected ${literals} literals, found ${input.length - at}`);
    if (literals > output.length - out)
      refuse(at, 'expected a block of the size that its frame says, found a larger one');
    output.set(input.subarray(at, at + literals), out);
    at += literals;
    out += literals;
    // "The last sequence contains only literals", section "End of block restrictions".
    if (at === input.length) return out;
    if (at + 2 > input.length) refuse(at, 'expected a distance, found the end of the block');
    const distance = (input[at] as number) | ((input[at + 1] as number) << 8);
    at += 2;
    if (distance === 0 || distance > out) refuse(at - 2, `expected a distance from 1 to ${out}, found ${distance}`);
    const length = lengthFrom(token & LENGTH_MORE) + MIN_MATCH;
    if (length > output.length - out)
      refuse(at, 'expected a block of the size that its frame says, found a larger one');
    if (distance >= length) output.copyWithin(out, out - distance, out - distance + length);
    else for (let i = 0; i < length; i++) output[out + i] = output[out - distance + i] as number;
    out += length;
    if (at >= input.length) refuse(at, 'expected literals at the end of the block');
  }
}
