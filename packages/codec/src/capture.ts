// SPDX-License-Identifier: Apache-2.0
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';

/** A value and the exact bytes it was read from: what a signature or a digest covers. */
export interface Captured<T> {
  readonly value: T;
  /** A view of the input. */
  readonly bytes: Uint8Array;
}

/**
 * Keeps the exact bytes beside the value. Writing puts those bytes back, so that what was signed stays what was signed;
 * to write a changed value, encode it with `inner`.
 */
export function withBytes<T>(inner: Codec<T>): Codec<Captured<T>> {
  return {
    ...(inner.fields === undefined ? {} : { fields: inner.fields }),
    name: inner.name,
    size: inner.size,
    read: (r, scope) => {
      const start = r.pos;
      const value = inner.read(r, scope);
      return { value, bytes: r.bytes.subarray(start, r.pos) };
    },
    write: (w, captured) => {
      const at = w.pos;
      w.put(captured?.bytes);
      if (inner.size !== undefined && w.pos - at !== inner.size) {
        throw new CodecError('invalid', at, `expected ${inner.size} bytes, got ${w.pos - at}`);
      }
    },
  };
}

/** What became of bytes whose format may be unknown or broken. */
export type Attempt<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly bytes: Uint8Array; readonly error: CodecError };

/**
 * `inner` over the rest of the window; where that fails, the bytes as they are and the reason. For formats that let
 * anybody define new content, where one odd record must not hide the others.
 */
export function attempt<T>(inner: Codec<T>): Codec<Attempt<T>> {
  return {
    name: `${inner.name}, or any bytes`,
    size: undefined,
    read: (r, scope) => {
      const { pos, end } = r;
      try {
        const value = inner.read(r, scope);
        r.finish();
        return { known: true, value };
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        r.pos = end;
        r.end = end;
        return { known: false, bytes: r.bytes.subarray(pos, end), error: error.under(inner.name) };
      }
    },
    write: (w, value, scope) => (value?.known === true ? inner.write(w, value.value, scope) : w.put(value?.bytes)),
  };
}
