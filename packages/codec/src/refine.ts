// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

function same(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? bytesEqual(a, b) : a === b;
}

/** A field that can hold one value only: a magic number, a version. */
export function constant<T>(inner: Codec<T>, expected: T): Codec<T> {
  return {
    name: `${inner.name} = ${show(expected)}`,
    size: inner.size,
    read: (r, scope) => {
      const at = r.pos;
      const got = inner.read(r, scope);
      if (!same(got, expected)) throw new CodecError('mismatch', at, `expected ${show(expected)}, got ${show(got)}`);
      return got;
    },
    write: (w, value, scope) => {
      // A value may leave the constant out only where its type allows; another value is a mistake, not a wish.
      if (value !== undefined && !same(value, expected)) {
        throw new CodecError('mismatch', w.pos, `expected ${show(expected)}, got ${show(value)}`);
      }
      inner.write(w, expected, scope);
    },
  };
}

/**
 * A codec's value seen as another type. `from` and `to` must be inverse on what they accept; either throws to refuse.
 * A CodecError they throw keeps its code and detail and gets the place; any other error becomes 'invalid'.
 */
export function mapped<A, B>(name: string, inner: Codec<A>, from: (a: A) => B, to: (b: B) => A): Codec<B> {
  return {
    name,
    size: inner.size,
    read: (r, scope) => {
      const at = r.pos;
      const raw = inner.read(r, scope);
      try {
        return from(raw);
      } catch (cause) {
        throw placed(at, cause);
      }
    },
    write: (w, value, scope) => {
      let raw: A;
      try {
        raw = to(value);
      } catch (cause) {
        throw placed(w.pos, cause);
      }
      inner.write(w, raw, scope);
    },
  };
}

function placed(at: number, cause: unknown): CodecError {
  // A path of its own comes from a nested decode: its offset counts inside the mapped bytes, so it goes into the text.
  if (cause instanceof CodecError) {
    return new CodecError(cause.code, at, cause.path === '' ? cause.detail : cause.message, { cause });
  }
  return new CodecError('invalid', at, cause instanceof Error ? cause.message : String(cause), { cause });
}

/** The same values, but only those for which `isGood` holds; `rule` completes "expected …". */
export function checked<T>(inner: Codec<T>, isGood: (value: T) => boolean, rule: string): Codec<T> {
  const refuseBad = (value: T): T => {
    if (!isGood(value)) throw new CodecError('invalid', 0, `expected ${rule}, got ${show(value)}`);
    return value;
  };
  return mapped(`${inner.name}, ${rule}`, inner, refuseBad, refuseBad);
}
