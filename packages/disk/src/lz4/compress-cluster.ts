// SPDX-License-Identifier: Apache-2.0

/** LZ4 block format: what a match is at least, and how far it may refer back. */
export const MIN_MATCH = 4;
export const MAX_DISTANCE = 0xffff;
/** LZ4 block format, "End of block conditions": the last five octets are literals, the last match begins twelve before the end. */
export const LAST_LITERALS = 5;
export const MATCH_START_LIMIT = 12;
/** Enough of a last run to keep the second of these conditions behind any match: a token, and eight literals. */
export const LAST_RUN_BYTES = 1 + MATCH_START_LIMIT - MIN_MATCH;
/** Lengths in a token go up to this; what is more follows in octets of 255. */
export const TOKEN_MAX = 15;
export const HASH_BITS = 13;
/** What spreads four octets over the table: 2^32 divided by the golden ratio. */
export const HASH_FACTOR = 0x9e3779b1;
/** After so many positions without a match, as a power of two, the search takes longer steps. */
export const SKIP_BITS = 6;

/** Where each sequence of four octets was last seen. One serves for any number of clusters of the same input. */
export type Lz4Table = Int32Array;

export function newLz4Table(): Lz4Table {
  return new Int32Array(2 ** HASH_BITS).fill(-1);
}

/** An input or output, by octets and by words. */
export interface Lz4Octets {
  readonly octets: Uint8Array;
  readonly view: DataView;
}

export function lz4Octets(octets: Uint8Array): Lz4Octets {
  return { octets, view: new DataView(octets.buffer, octets.byteOffset, octets.byteLength) };
}

/** How much went in and how much came out. */
export interface Lz4Cluster {
  consumed: number;
  produced: number;
}

/**
 * Compresses as much of the input as fits into `output`, as one LZ4 block that refers to nothing before `start`. The same
 * input gives the same octets for ever: EROFS images depend on it.
 * @param input at most 2^31 octets, the same as long as the table is.
 * @param result is written to, so that none is made for each cluster.
 */
export function compressLz4Cluster(
  { octets: input, view }: Lz4Octets,
  start: number,
  end: number,
  { octets: output, view: outputView }: Lz4Octets,
  table: Lz4Table,
  result: Lz4Cluster,
): void {
  const matchStartEnd = end - MATCH_START_LIMIT;
  const matchEnd = end - LAST_LITERALS;
  const sequenceEnd = output.length - LAST_RUN_BYTES;
  let anchor = start;
  let at = start;
  let out = 0;
  for (;;) {
    // Beyond this there is no room for the literals before a match.
    const searchEnd = Math.min(matchStartEnd, anchor + (sequenceEnd - out));
    let ref = -1;
    let next = at;
    let tries = 1 << SKIP_BITS;
    let isFound = false;
    while (next <= searchEnd) {
      at = next;
      const sequence = view.getInt32(at, true);
      const slot = Math.imul(sequence, HASH_FACTOR) >>> (32 - HASH_BITS);
      ref = table[slot] as number;
      table[slot] = at;
      // The cluster before may have looked further than it went.
      if (ref >= start && ref < at && at - ref <= MAX_DISTANCE && view.getInt32(ref, true) === sequence) {
        isFound = true;
        break;
      }
      next = at + (tries++ >> SKIP_BITS);
    }
    if (!isFound) break;
    let matched = at + MIN_MATCH;
    let refMatched = ref + MIN_MATCH;
    while (at > anchor && ref > start && input[at - 1] === input[ref - 1]) {
      at--;
      ref--;
    }
    const literals = at - anchor;
    const literalOctets = literals >= TOKEN_MAX ? Math.floor((literals - TOKEN_MAX) / 255) + 1 : 0;
    const fixed = out + 1 + literalOctets + literals + 2;
    if (fixed > sequenceEnd) break;
    let difference = 0;
    while (matched + 4 <= matchEnd) {
      difference = view.getInt32(matched, true) ^ view.getInt32(refMatched, true);
      if (difference !== 0) break;
      matched += 4;
      refMatched += 4;
    }
    // The lowest bit that differs is in the first octet that does.
    if (difference !== 0) matched += (31 - Math.clz32(difference & -difference)) >> 3;
    else while (matched < matchEnd && input[matched] === input[refMatched++]) matched++;
    let length = matched - at - MIN_MATCH;
    let lengthOctets = length >= TOKEN_MAX ? Math.floor((length - TOKEN_MAX) / 255) + 1 : 0;
    if (fixed + lengthOctets > sequenceEnd) {
      lengthOctets = sequenceEnd - fixed;
      length = TOKEN_MAX - 1 + 255 * lengthOctets;
    }
    const token = out++;
    output[token] = (Math.min(literals, TOKEN_MAX) << 4) | Math.min(length, TOKEN_MAX);
    if (literalOctets > 0) out = putLength(output, out, literals - TOKEN_MAX);
    // Up to three octets too many: there is room, and what comes next replaces them.
    if (literals < 64)
      for (let i = 0; i < literals; i += 4) outputView.setInt32(out + i, view.getInt32(anchor + i, true), true);
    else output.set(input.subarray(anchor, at), out);
    out += literals;
    const distance = at - ref;
    output[out++] = distance & 0xff;
    output[out++] = distance >> 8;
    if (lengthOctets > 0) out = putLength(output, out, length - TOKEN_MAX);
    at += MIN_MATCH + length;
    anchor = at;
    if (at > matchStartEnd) break;
    const before = at - 2;
    table[Math.imul(view.getInt32(before, true), HASH_FACTOR) >>> (32 - HASH_BITS)] = before;
  }
  putLastRun(input, anchor, end, output, out, result);
  result.consumed += anchor - start;
}

/** What is left of a length that a token does not hold. */
function putLength(output: Uint8Array, at: number, rest: number): number {
  let out = at;
  let left = rest;
  for (; left >= 255; left -= 255) output[out++] = 255;
  output[out++] = left;
  return out;
}

function putLastRun(
  input: Uint8Array,
  anchor: number,
  end: number,
  output: Uint8Array,
  at: number,
  result: Lz4Cluster,
): void {
  let out = at;
  const room = output.length - out - 1;
  const fitting = room < TOKEN_MAX ? room : room - Math.floor((room - TOKEN_MAX) / 256) - 1;
  const literals = Math.min(end - anchor, fitting);
  output[out++] = Math.min(literals, TOKEN_MAX) << 4;
  if (literals >= TOKEN_MAX) out = putLength(output, out, literals - TOKEN_MAX);
  output.set(input.subarray(anchor, anchor + literals), out);
  result.consumed = literals;
  result.produced = out + literals;
}
