// SPDX-License-Identifier: Apache-2.0
import { type Random, seededRandom } from './random.ts';

/** No input grows beyond the largest seed and this. */
const MAX_GROWTH_BYTES = 64 * 1024;
const MAX_MUTATIONS = 8;

/** Where counts, sizes and offsets go wrong: around nothing, a block, and the ends of each integer. */
const BOUNDARIES = [0n, 1n, 2n, 16n, 255n, 256n, 512n, 4095n, 4096n, 0x7fn, 0x80n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n];
const WIDE_BOUNDARIES = [
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  ~0n,
];
const SIZES = [1, 2, 4, 8] as const;

type Mutation = (bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  function setInteger(bytes, random) {
    const size = SIZES[random(SIZES.length)] ?? 1;
    if (bytes.length < size) return bytes;
    const values = size >= 4 ? [...BOUNDARIES, ...WIDE_BOUNDARIES] : BOUNDARIES;
    putInteger(bytes, random(bytes.length - size + 1), size, values[random(values.length)] ?? 0n, random(2) === 0);
    return bytes;
  },
  function addToInteger(bytes, random) {
    const size = SIZES[random(SIZES.length)] ?? 1;
    if (bytes.length < size) return bytes;
    const at = random(bytes.length - size + 1);
    const littleEndian = random(2) === 0;
    putInteger(bytes, at, size, getInteger(bytes, at, size, littleEndian) + BigInt(random(33) - 16), littleEndian);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random(bytes.length));
  },
  function extend(bytes, random) {
    const more = new Uint8Array(1 + random(64)).fill(random(3) === 0 ? random(256) : 0);
    return concat(bytes, more);
  },
  function removeBlock(bytes, random) {
    const [start, end] = block(bytes, random);
    return concat(bytes.subarray(0, start), bytes.subarray(end));
  },
  function duplicateBlock(bytes, random) {
    const [start, end] = block(bytes, random);
    return concat(bytes.subarray(0, end), bytes.subarray(start));
  },
  function overwriteBlock(bytes, random) {
    const [start, end] = block(bytes, random);
    bytes.copyWithin(random(bytes.length), start, end);
    return bytes;
  },
  function fillBlock(bytes, random) {
    const [start, end] = block(bytes, random);
    return bytes.fill(random(2) === 0 ? 0 : 0xff, start, end);
  },
  function splice(bytes, random, seeds) {
    const other = seeds[random(seeds.length)] ?? bytes;
    return concat(bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length + 1)));
  },
];

/** The input of one execution: a seed with one to eight mutations. The same number makes the same input. */
export function mutate(seeds: readonly Uint8Array[], number: number): Uint8Array {
  const random = seededRandom(number);
  const maxSize = Math.max(...seeds.map((seed) => seed.length)) + MAX_GROWTH_BYTES;
  let bytes: Uint8Array = (seeds[random(seeds.length)] ?? new Uint8Array()).slice();
  for (let left = 1 + random(MAX_MUTATIONS); left > 0; left--) {
    if (bytes.length === 0) bytes = new Uint8Array(1);
    const mutation = MUTATIONS[random(MUTATIONS.length)] as Mutation;
    bytes = mutation(bytes, random, seeds);
    if (bytes.length > maxSize) bytes = bytes.slice(0, maxSize);
  }
  return bytes;
}

/** Start and end of some bytes, mostly few. */
function block(bytes: Uint8Array, random: Random): [start: number, end: number] {
  const start = random(bytes.length);
  const size = 1 + random(random(2) === 0 ? 16 : bytes.length);
  return [start, Math.min(start + size, bytes.length)];
}

function putInteger(bytes: Uint8Array, at: number, size: number, value: bigint, littleEndian: boolean): void {
  for (let i = 0; i < size; i++) {
    bytes[at + (littleEndian ? i : size - 1 - i)] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

function getInteger(bytes: Uint8Array, at: number, size: number, littleEndian: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) {
    value |= BigInt(bytes[at + (littleEndian ? i : size - 1 - i)] ?? 0) << BigInt(8 * i);
  }
  return value;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
