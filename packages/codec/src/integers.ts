// SPDX-License-Identifier: Apache-2.0
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

/** What `Codec.integer` says; runs.ts reads and writes by it. */
export const U8 = 1;
export const U16BE = 2;
export const U16LE = 3;
export const U32BE = 4;
export const U32LE = 5;
export const U64BE = 6;
export const U64LE = 7;

type Get<T> = (view: DataView, at: number) => T;
type Set<T> = (view: DataView, at: number, x: T) => void;

/** A number of at most 32 bits; -0 is written as 0. */
function narrow(name: string, kind: number, size: number, get: Get<number>, set: Set<number>): Codec<number> {
  const max = 256 ** size - 1;
  return {
    name,
    size,
    integer: kind,
    read: (r) => get(r.view, r.take(size)),
    write: (w, x) => {
      if (!Number.isInteger(x) || x < 0 || x > max)
        throw new CodecError('invalid', w.pos, `expected a ${name}, got ${show(x)}`);
      const at = w.reserve(size); // before w.view is read: it may make a new one
      set(w.view, at, x);
    },
  };
}

function wide(name: string, kind: number, get: Get<bigint>, set: Set<bigint>): Codec<bigint> {
  return {
    name,
    size: 8,
    integer: kind,
    read: (r) => get(r.view, r.take(8)),
    write: (w, x) => {
      if (typeof x !== 'bigint' || BigInt.asUintN(64, x) !== x) {
        throw new CodecError('invalid', w.pos, `expected a ${name} as a bigint, got ${show(x)}`);
      }
      const at = w.reserve(8);
      set(w.view, at, x);
    },
  };
}

export const u8 = narrow(
  'u8',
  U8,
  1,
  (v, at) => v.getUint8(at),
  (v, at, x) => v.setUint8(at, x),
);
export const u16be = narrow(
  'u16be',
  U16BE,
  2,
  (v, at) => v.getUint16(at),
  (v, at, x) => v.setUint16(at, x),
);
export const u16le = narrow(
  'u16le',
  U16LE,
  2,
  (v, at) => v.getUint16(at, true),
  (v, at, x) => v.setUint16(at, x, true),
);
export const u32be = narrow(
  'u32be',
  U32BE,
  4,
  (v, at) => v.getUint32(at),
  (v, at, x) => v.setUint32(at, x),
);
export const u32le = narrow(
  'u32le',
  U32LE,
  4,
  (v, at) => v.getUint32(at, true),
  (v, at, x) => v.setUint32(at, x, true),
);
export const u64be = wide(
  'u64be',
  U64BE,
  (v, at) => v.getBigUint64(at),
  (v, at, x) => v.setBigUint64(at, x),
);
export const u64le = wide(
  'u64le',
  U64LE,
  (v, at) => v.getBigUint64(at, true),
  (v, at, x) => v.setBigUint64(at, x, true),
);
