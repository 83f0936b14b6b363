// SPDX-License-Identifier: Apache-2.0
import type { Codec, Infer, Scope } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

export type Arms = Readonly<Record<string, Codec<unknown>>>;

/** A union whose arm is chosen by an earlier field of the same structure. */
export interface Select<K extends string, V extends Arms, O = never> extends Codec<Infer<V[keyof V]> | O> {
  readonly selector: K;
  readonly arms: V;
  /** Taken when the selector has no arm: only of unions over open enumerations. */
  readonly otherwise: Codec<O> | undefined;
}

/**
 * The arm is the value of the field called `selector`, an enumeration's member. The structure's type becomes a
 * discriminated union. Without `otherwise`, a selector that has no arm is an error.
 */
export function select<const K extends string, V extends Arms>(selector: K, arms: V): Select<K, V>;
export function select<const K extends string, V extends Arms, O>(
  selector: K,
  arms: V,
  otherwise: Codec<O>,
): Select<K, V, O>;
export function select<const K extends string, V extends Arms, O>(
  selector: K,
  arms: V,
  otherwise?: Codec<O>,
): Select<K, V, O> {
  const arm = (scope: Scope, at: number): Codec<Infer<V[keyof V]> | O> => {
    const key = scope.get(selector);
    const isKey = typeof key === 'string' || typeof key === 'number';
    const chosen = isKey && Object.hasOwn(arms, key) ? arms[key] : otherwise;
    if (chosen === undefined)
      throw new CodecError('unknown_value', at, `nothing is defined for ${selector} = ${show(key)}`);
    return chosen as Codec<Infer<V[keyof V]> | O>;
  };
  return {
    name: `by ${selector}: ${Object.entries(arms)
      .map(([key, codec]) => `${key} ${codec.name}`)
      .join(', ')}${otherwise === undefined ? '' : `, else ${otherwise.name}`}`,
    size: undefined,
    selector,
    arms,
    otherwise,
    read: (r, scope) => arm(scope, r.pos).read(r, scope),
    write: (w, value, scope) => arm(scope, w.pos).write(w, value, scope),
  };
}
