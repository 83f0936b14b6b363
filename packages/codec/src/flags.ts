// SPDX-License-Identifier: Apache-2.0
import { requireDeclared } from './bounds.ts';
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

type Bits = Readonly<Record<string, number>>;

/** One boolean a named bit. */
export type Flags<M extends Bits> = { readonly [K in keyof M]: boolean };

/** Named bits, and the bits without a name as one number. */
export type OpenFlags<M extends Bits> = Flags<M> & { readonly unnamed: bigint };

function masks(bits: Bits, size: number | undefined): [name: string, mask: bigint][] {
  if (size === undefined) throw new Error('a word of flags must have a fixed size');
  if (new Set(Object.values(bits)).size !== Object.keys(bits).length) throw new Error('two flags have the same bit');
  return Object.entries(bits).map(([name, bit]) => {
    requireDeclared(`the bit of ${name}`, bit);
    if (bit >= 8 * size) throw new Error(`bit ${bit} of ${name} is outside the word`);
    if (name === 'unnamed' || name in Object.prototype) throw new Error(`'${name}' cannot be the name of a flag`);
    return [name, 1n << BigInt(bit)];
  });
}

function asBigint(inner: Codec<number> | Codec<bigint>): Codec<bigint> {
  if (inner.size === 8) return inner as Codec<bigint>;
  const narrow = inner as Codec<number>;
  return {
    ...narrow,
    read: (r, scope) => BigInt(narrow.read(r, scope)),
    write: (w, value, scope) => narrow.write(w, Number(value), scope),
  };
}

function wordOf(value: Readonly<Record<string, unknown>>, named: readonly [string, bigint][], at: number): bigint {
  let word = 0n;
  if (typeof value !== 'object' || value === null)
    throw new CodecError('invalid', at, `expected flags, got ${show(value)}`);
  for (const [name, mask] of named) {
    if (typeof value[name] !== 'boolean')
      throw new CodecError('invalid', at, `flag ${name} is ${show(value[name])}, expected a boolean`);
    if (value[name]) word |= mask;
  }
  return word;
}

/** A word of named bits, numbered from the least significant; a set bit without a name is an error. */
export function flags<const M extends Bits>(inner: Codec<number> | Codec<bigint>, bits: M): Codec<Flags<M>> {
  const named = masks(bits, inner.size);
  const all = named.reduce((sum, [, mask]) => sum | mask, 0n);
  const word = asBigint(inner);
  return {
    name: `${inner.name} flags`,
    size: inner.size,
    members: { kind: 'bits', table: bits },
    read: (r, scope) => {
      const at = r.pos;
      const got = word.read(r, scope);
      if ((got & ~all) !== 0n)
        throw new CodecError('unknown_value', at, `bits 0x${(got & ~all).toString(16)} have no meaning here`);
      return Object.fromEntries(named.map(([name, mask]) => [name, (got & mask) !== 0n])) as Flags<M>;
    },
    write: (w, value, scope) => word.write(w, wordOf(value, named, w.pos), scope),
  };
}

/** A word of named bits whose other bits are kept in `unnamed`. */
export function openFlags<const M extends Bits>(inner: Codec<number> | Codec<bigint>, bits: M): Codec<OpenFlags<M>> {
  const named = masks(bits, inner.size);
  const all = named.reduce((sum, [, mask]) => sum | mask, 0n);
  const word = asBigint(inner);
  return {
    name: `${inner.name} open flags`,
    size: inner.size,
    members: { kind: 'bits', table: bits },
    read: (r, scope) => {
      const got = word.read(r, scope);
      const entries: [string, boolean | bigint][] = named.map(([name, mask]) => [name, (got & mask) !== 0n]);
      return Object.fromEntries([...entries, ['unnamed', got & ~all]]) as OpenFlags<M>;
    },
    write: (w, value, scope) => {
      const set = wordOf(value, named, w.pos);
      const { unnamed } = value;
      if (typeof unnamed !== 'bigint' || (unnamed & all) !== 0n || unnamed >> BigInt(8 * (inner.size ?? 0)) !== 0n) {
        throw new CodecError(
          'invalid',
          w.pos,
          `unnamed is ${show(unnamed)}, expected the bits of the word without a name`,
        );
      }
      word.write(w, set | unnamed, scope);
    },
  };
}
