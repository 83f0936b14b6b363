// SPDX-License-Identifier: Apache-2.0
import { CodecError, rethrowUnder } from './error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** The fields of the enclosing structure that are already read, or all of them when writing, by name. */
export interface Scope {
  get(name: string): unknown;
}

/** One row of a format's documentation. */
export interface FieldDoc {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly doc: string | undefined;
}

/** An enumeration both ways. */
export interface Lookup {
  readonly names: ReadonlyMap<number, string>;
  readonly values: ReadonlyMap<unknown, number>;
}

/**
 * A binary format as a value: it reads, writes and documents itself.
 *
 * Unless a declaration says otherwise, whatever a codec accepts it writes back as the same bytes. Byte fields are views
 * of the input; copy them to keep them longer than the input.
 */
export interface Codec<T> {
  /** The specification's name of the structure, or a description of the field's type. */
  readonly name: string;
  /** Octets, when that does not depend on the value. */
  readonly size: number | undefined;
  /** True when the codec has no value: reserved space. The field vanishes from its structure's type. */
  readonly silent?: true;
  /** Set on integers and enumerations of them, so that structures need no call for each; see runs.ts. */
  readonly integer?: number;
  /** With `integer`, of enumerations. */
  readonly lookup?: Lookup;
  /** Fields in wire order, of structures. */
  readonly fields?: readonly FieldDoc[];
  /** Names and wire values, of enumerations; names and bit numbers, of flags. */
  readonly members?: { readonly kind: 'values' | 'bits'; readonly table: Readonly<Record<string, number>> };
  read(r: Reader, scope: Scope): T;
  write(w: Writer, value: T, scope: Scope): void;
}

/** The type of the values of a codec. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

const NO_SCOPE: Scope = { get: () => undefined };

/**
 * Decodes exactly `bytes`.
 * @throws {CodecError} with the path and offset of the first fault; bytes left over are one.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const r = new Reader(bytes);
  try {
    const value = codec.read(r, NO_SCOPE);
    r.finish();
    return value;
  } catch (error) {
    return rethrowUnder(codec.name, error);
  }
}

/**
 * Decodes from `offset` and says where the next byte is; for walking through what has no count in front.
 * @throws {CodecError} as `decode`, and when `offset` is not inside `bytes`.
 */
export function decodeAt<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  offset = 0,
): { readonly value: T; readonly end: number } {
  const r = new Reader(bytes);
  try {
    if (!Number.isSafeInteger(offset))
      throw new CodecError('invalid', 0, `cannot start at ${offset}, expected a whole number`);
    r.take(offset);
    return { value: codec.read(r, NO_SCOPE), end: r.pos };
  } catch (error) {
    return rethrowUnder(codec.name, error);
  }
}

/** Above this the buffer is not kept: one large disk must not hold its memory for as long as the process runs. */
const KEPT_BYTES = 64 * 1024;

/** Serves one call after the other; absent while a call uses it, so that a nested one, from a `mapped` say, gets its own. */
let idle: Writer | undefined = new Writer(4096);

/**
 * The bytes of a value, newly allocated.
 * @throws {CodecError} when the value does not fit the declaration.
 */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const w = idle ?? new Writer();
  idle = undefined;
  try {
    codec.write(w, value, NO_SCOPE);
    return w.finish();
  } catch (error) {
    return rethrowUnder(codec.name, error);
  } finally {
    w.pos = 0;
    w.reopen(); // after a failure
    idle = w.capacity > 0 && w.capacity <= KEPT_BYTES ? w : new Writer(4096);
  }
}
