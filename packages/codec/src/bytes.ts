// SPDX-License-Identifier: Apache-2.0
import { countIn, requireCounted, requireDeclared, requireWithin } from './bounds.ts';
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import type { Reader } from './reader.ts';

/** Exactly `n` bytes, as a view of the input. */
export function bytes(n: number): Codec<Uint8Array> {
  requireDeclared('the size of bytes', n);
  return {
    name: `bytes(${n})`,
    size: n,
    read: (r) => r.takeBytes(n),
    write: (w, value) => {
      const at = w.pos;
      w.put(value);
      if (value.length !== n) throw new CodecError('invalid', at, `expected ${n} bytes, got ${value.length}`);
    },
  };
}

/** Every byte up to the end of the enclosing window. */
export const rest: Codec<Uint8Array> = {
  name: 'bytes to the end',
  size: undefined,
  read: (r) => r.takeBytes(r.end - r.pos),
  write: (w, value) => w.put(value),
};

/** Fails at the first byte of [from, to) that is not zero. */
export function requireZeros(r: Reader, from: number, to: number, what: string): void {
  for (let i = from; i < to; i++) {
    if (r.bytes[i] !== 0) throw new CodecError('mismatch', i, `${what} is 0x${hex2(r.bytes[i])}, expected 0x00`);
  }
}

const hex2 = (byte: number | undefined): string => (byte ?? 0).toString(16).padStart(2, '0');

/** `n` reserved bytes that must be zero. Decodes to nothing. */
export function zeros(n: number): Codec<void> {
  requireDeclared('the number of zeros', n);
  return {
    name: `zeros(${n})`,
    size: n,
    silent: true,
    read: (r) => {
      const at = r.take(n);
      requireZeros(r, at, at + n, 'reserved byte');
    },
    write: (w) => w.putZeros(n),
  };
}

/**
 * The first so many bytes of a fixed cell; the rest of the cell must be zero.
 * @param length name of an earlier field that holds the number of bytes in use.
 */
export function cellOf(length: string, capacity: number): Codec<Uint8Array> {
  requireDeclared('the capacity of a cell', capacity);
  return {
    name: `bytes(${capacity}), the first ${length} in use`,
    size: capacity,
    read: (r, scope) => {
      const used = countIn(scope, length, capacity, r.pos);
      const at = r.take(capacity);
      requireZeros(r, at + used, at + capacity, `byte past ${length}`);
      return r.bytes.subarray(at, at + used);
    },
    write: (w, value, scope) => {
      const at = w.pos;
      w.put(value);
      requireCounted(scope, length, 'bytes', value.length, at);
      requireWithin(length, value.length, capacity, at);
      w.putZeros(capacity - value.length);
    },
  };
}
