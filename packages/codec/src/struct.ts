// SPDX-License-Identifier: Apache-2.0
import type { Codec, FieldDoc, Scope } from './codec.ts';
import { CodecError, rethrowUnder } from './error.ts';
import { readRun, runsOf, writeRun } from './runs.ts';
import { requireFieldName, type Shape, shapeOf } from './shape.ts';
import { show } from './show.ts';
import type { Fields, Struct } from './struct-type.ts';

export type StructCodec<T> = Codec<T> & { readonly fields: readonly FieldDoc[] };

/** The values of one structure while it is read or written. */
class StructScope implements Scope {
  readonly #names: readonly string[];
  readonly #values: readonly unknown[];

  constructor(names: readonly string[], values: readonly unknown[]) {
    this.#names = names;
    this.#values = values;
  }

  get(name: string): unknown {
    return this.#values[this.#names.indexOf(name)];
  }
}

function docsOf(declared: Fields): FieldDoc[] {
  // `__proto__: u8` in a literal is no field: it sets the prototype, and the structure would lack it silently.
  if (Object.getPrototypeOf(declared) !== Object.prototype)
    throw new Error("'__proto__' cannot be the name of a field");
  return Object.entries(declared).map(([name, field]) => {
    requireFieldName(name);
    const [codec, doc] = (Array.isArray(field) ? field : [field, undefined]) as [Codec<unknown>, string | undefined];
    return { name, codec, doc };
  });
}

/**
 * Fields one after the other, in the order of the declaration, which is the order of the specification. A field may
 * refer to those before it by name (`cellOf`, `listOf`, `sizedOf`, `select`).
 */
export function struct<const F extends Fields>(name: string, declared: F): StructCodec<Struct<F>> {
  const fields = docsOf(declared);
  const codecs = fields.map((f) => f.codec);
  const names = fields.filter((f) => f.codec.silent !== true).map((f) => f.name);
  /** Where each field's value goes among the values; one past the last for reserved space, which has none. */
  const slots = fields.map((f) => (f.codec.silent === true ? names.length : names.indexOf(f.name)));
  const width = names.length === fields.length ? names.length : names.length + 1;
  const runs = runsOf(codecs, slots);
  // Made with the first value: a program declares many structures, and a run of it reads a few.
  let make: Shape['make'] = (values) => {
    ({ make, take } = shapeOf(names));
    return make(values);
  };
  let take: Shape['take'] = (object) => {
    ({ make, take } = shapeOf(names));
    return take(object);
  };
  /** The one run of a structure of integers. Nothing of the caller's runs while it is read, so that one array serves. */
  const whole = runs[0]?.members.length === codecs.length ? runs[0] : undefined;
  const scratch = new Array<unknown>(whole === undefined ? 0 : width).fill(undefined);
  const size = codecs.reduce<number | undefined>((sum, c) => addSizes(sum, c.size), 0);

  return {
    name,
    size,
    fields,
    read: (r) => {
      if (whole !== undefined && whole.size <= r.end - r.pos && readRun(whole, r.view, r.pos, scratch)) {
        r.pos += whole.size;
        return make(scratch) as Struct<F>;
      }
      const values = new Array<unknown>(width);
      let scope: Scope | undefined;
      let i = 0;
      try {
        while (i < codecs.length) {
          const run = runs[i];
          if (run !== undefined && run.size <= r.end - r.pos && readRun(run, r.view, r.pos, values)) {
            r.pos += run.size;
            i += run.members.length;
            continue;
          }
          scope ??= new StructScope(names, values);
          values[slots[i] as number] = (codecs[i] as Codec<unknown>).read(r, scope);
          i++;
        }
      } catch (error) {
        rethrowUnder((fields[i] as FieldDoc).name, error);
      }
      return make(values) as Struct<F>;
    },
    write: (w, value) => {
      if (typeof value !== 'object' || value === null) {
        throw new CodecError('invalid', w.pos, `expected the fields of ${name}, got ${show(value)}`);
      }
      const values = take(value as Record<string, unknown>);
      if (whole !== undefined) {
        const at = w.reserve(whole.size);
        if (writeRun(whole, w.view, at, values)) return;
        w.pos = at;
      }
      let scope: Scope | undefined;
      let i = 0;
      try {
        while (i < codecs.length) {
          const run = runs[i];
          if (run !== undefined) {
            const at = w.reserve(run.size);
            if (writeRun(run, w.view, at, values)) {
              i += run.members.length;
              continue;
            }
            w.pos = at;
          }
          scope ??= new StructScope(names, values);
          (codecs[i] as Codec<unknown>).write(w, values[slots[i] as number], scope);
          i++;
        }
      } catch (error) {
        rethrowUnder((fields[i] as FieldDoc).name, error);
      }
    },
  };
}

const addSizes = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;
