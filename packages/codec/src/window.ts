// SPDX-License-Identifier: Apache-2.0
import { countIn, requireCounted, requireDeclared, requireWithin } from './bounds.ts';
import { requireZeros } from './bytes.ts';
import type { Codec, Scope } from './codec.ts';
import { CodecError } from './error.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Reads `inner` from the next `size` octets, all of which it must consume. */
function readWithin<T>(r: Reader, size: number, inner: Codec<T>, scope: Scope): T {
  const outer = r.end;
  const start = r.take(size);
  r.pos = start;
  r.end = start + size;
  const value = inner.read(r, scope);
  r.finish();
  r.end = outer;
  return value;
}

/** Writes `inner` as one window and returns its octets: what it closes (see `optional`) ends with it. */
function writeWithin<T>(w: Writer, value: T, inner: Codec<T>, scope: Scope): number {
  const { closed, pos } = w;
  inner.write(w, value, scope);
  if (!closed) w.reopen();
  return w.pos - pos;
}

/** Reserved space stays without a value, and vanishes, inside a window or before padding. */
const silence = (inner: Codec<unknown>): { silent?: true } => (inner.silent === true ? { silent: true } : {});

/** A length in octets, then `inner`, which must fill it exactly (TPM2B structures, UEFI's sized blobs). */
export function sized<T>(length: Codec<number>, inner: Codec<T>, max: number): Codec<T> {
  requireDeclared('the limit of a size', max);
  const { size: lengthSize } = length;
  if (lengthSize === undefined) throw new Error(`a length must have a fixed size, ${length.name} has none`);
  return {
    ...silence(inner),
    name: `${inner.name}, sized by ${length.name}, at most ${max}`,
    size: undefined,
    read: (r, scope) => {
      const at = r.pos;
      const size = length.read(r, scope);
      requireWithin('size', size, max, at);
      return readWithin(r, size, inner, scope);
    },
    write: (w, value, scope) => {
      const at = w.reserve(lengthSize); // written below, once the size is known
      const size = writeWithin(w, value, inner, scope);
      requireWithin('size', size, max, at);
      const end = w.pos;
      w.pos = at;
      length.write(w, size, scope);
      w.pos = end;
    },
  };
}

/** `inner` in as many octets as an earlier field of the structure says. */
export function sizedOf<T>(length: string, inner: Codec<T>, max: number): Codec<T> {
  requireDeclared('the limit of a size', max);
  return {
    ...silence(inner),
    name: `${inner.name} in ${length} octets, at most ${max}`,
    size: undefined,
    read: (r, scope) => readWithin(r, countIn(scope, length, max, r.pos), inner, scope),
    write: (w, value, scope) => {
      const start = w.pos;
      const size = writeWithin(w, value, inner, scope);
      requireWithin(length, size, max, start);
      requireCounted(scope, length, 'octets', size, start);
    },
  };
}

/** `inner`, then zeros up to a multiple of `alignment` octets from where `inner` began. */
export function aligned<T>(inner: Codec<T>, alignment: number): Codec<T> {
  requireDeclared('an alignment', alignment, 1);
  const padding = (used: number): number => (alignment - (used % alignment)) % alignment;
  return {
    ...silence(inner),
    name: `${inner.name}, padded to ${alignment}`,
    size: inner.size === undefined ? undefined : inner.size + padding(inner.size),
    read: (r, scope) => {
      const start = r.pos;
      const value = inner.read(r, scope);
      const n = padding(r.pos - start);
      const at = r.take(n);
      requireZeros(r, at, at + n, 'padding byte');
      return value;
    },
    write: (w, value, scope) => {
      const start = w.pos;
      inner.write(w, value, scope);
      w.putZeros(padding(w.pos - start));
    },
  };
}

/**
 * `inner` when bytes are left in the window, undefined when none are: fields that later revisions added. Where it is
 * left out, nothing may follow in the window, for it would be read in its place.
 */
export function optional<T>(inner: Codec<T>): Codec<T | undefined> {
  if (inner.silent === true)
    throw new Error('reserved space cannot be optional: no value would say whether it was there');
  return {
    name: `${inner.name}, if present`,
    size: undefined,
    read: (r, scope) => {
      const at = r.pos;
      if (at === r.end) return undefined;
      const value = inner.read(r, scope);
      if (value === undefined)
        throw new CodecError('invalid', at, 'bytes without a value, which would not be written again');
      return value;
    },
    write: (w, value, scope) => {
      if (value === undefined) return w.close();
      const at = w.pos;
      inner.write(w, value, scope);
      if (w.pos === at) throw new CodecError('invalid', at, 'a value without bytes, which would be read as absent');
    },
  };
}
