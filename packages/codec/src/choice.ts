// SPDX-License-Identifier: Apache-2.0
import { requireDeclared } from './bounds.ts';
import type { Codec, Lookup } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

type Table = Readonly<Record<string, number>>;

function lookupOf(inner: Codec<number>, table: Table): Lookup {
  const values = new Map<unknown, number>(Object.entries(table));
  const names = new Map(Object.entries(table).map(([name, value]) => [value, name]));
  if (names.size !== values.size) throw new Error('two members have the same value');
  for (const [name, value] of Object.entries(table)) {
    requireDeclared(`the value of ${name}`, value);
    if (inner.integer !== undefined && value >= 256 ** (inner.size as number)) {
      throw new Error(`${name} = ${show(value)} does not fit ${inner.name}`);
    }
    // In an open enumeration `select` could not tell the name '7' from the value 7.
    if (/^[0-9]+$/.test(name)) throw new Error(`'${name}' is a number, expected a name`);
  }
  return { names, values };
}

/** A closed enumeration: any value without a name is an error. */
export function enumOf<const M extends Table>(inner: Codec<number>, table: M): Codec<keyof M & string> {
  const lookup = lookupOf(inner, table);
  return {
    name: `${inner.name} enumeration`,
    size: inner.size,
    members: { kind: 'values', table },
    ...(inner.integer === undefined ? {} : { integer: inner.integer, lookup }),
    read: (r, scope) => {
      const at = r.pos;
      const value = inner.read(r, scope);
      const name = lookup.names.get(value);
      if (name === undefined) {
        const known = Object.keys(table).join(', ');
        throw new CodecError('unknown_value', at, `${show(value)} is not one of ${known}`);
      }
      return name;
    },
    write: (w, name, scope) => {
      const value = lookup.values.get(name);
      if (value === undefined) throw new CodecError('unknown_value', w.pos, `no member is called ${show(name)}`);
      inner.write(w, value, scope);
    },
  };
}

/**
 * An enumeration that grows: a value without a name stays a number, so that one new algorithm does not make a whole log
 * unreadable.
 */
export function openEnumOf<const M extends Table>(inner: Codec<number>, table: M): Codec<(keyof M & string) | number> {
  const lookup = lookupOf(inner, table);
  return {
    name: `${inner.name} open enumeration`,
    size: inner.size,
    members: { kind: 'values', table },
    ...(inner.integer === undefined ? {} : { integer: inner.integer, lookup }),
    read: (r, scope) => {
      const value = inner.read(r, scope);
      return lookup.names.get(value) ?? value;
    },
    write: (w, member, scope) => {
      if (typeof member === 'number') {
        const name = lookup.names.get(member);
        // One value, one form: what is written as a number comes back as a name, and would select another arm.
        if (name !== undefined)
          throw new CodecError('invalid', w.pos, `${show(member)} has a name, expected '${name}'`);
        return inner.write(w, member, scope);
      }
      const value = lookup.values.get(member);
      if (value === undefined) throw new CodecError('unknown_value', w.pos, `no member is called ${show(member)}`);
      inner.write(w, value, scope);
    },
  };
}
