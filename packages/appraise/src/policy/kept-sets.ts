// SPDX-License-Identifier: Apache-2.0
import type { CedarEngine, CedarError } from './engine.ts';

/**
 * Cedar keeps the sets that it has parsed, each under a name, and cannot be told to forget one; but another set under the same
 * name takes its place. So names are used again, once nobody holds the policy whose set was under it.
 */
interface KeptSets {
  readonly free: string[];
  readonly holders: FinalizationRegistry<string>;
}

/** Names that there are: of all engines, as two may be one underneath. */
let made = 0;
const kept = new WeakMap<CedarEngine, KeptSets>();
const holding = new WeakSet<object>();

/** True for what `keepSet` has made; false for a copy of it, which does not keep the set where it is. */
export const holdsItsSet = (holder: object): boolean => holding.has(holder);

function setsOf(engine: CedarEngine): KeptSets {
  const found = kept.get(engine);
  if (found !== undefined) return found;
  const free: string[] = [];
  const holders = new FinalizationRegistry<string>((name) => {
    // What it held goes now, and not only when the name is needed again. An engine that fails keeps it: nobody asks here.
    if (isEmptied(engine, name)) free.push(name);
  });
  const sets = { free, holders };
  kept.set(engine, sets);
  return sets;
}

function isEmptied(engine: CedarEngine, name: string): boolean {
  try {
    return engine.preparsePolicySet(name, { staticPolicies: {} }).type === 'success';
  } catch {
    return false;
  }
}

/**
 * Has Cedar parse and keep a set for as long as somebody holds what `makeHolder` makes of its name.
 * @returns the holder, or why the set cannot be parsed
 */
export function keepSet<T extends object>(
  engine: CedarEngine,
  policies: Readonly<Record<string, string>>,
  makeHolder: (name: string) => T,
): { readonly holder: T } | { readonly errors: readonly CedarError[] } {
  const sets = setsOf(engine);
  const name = sets.free.pop() ?? `vouchsafe-${made++}`;
  const answer = engine.preparsePolicySet(name, { staticPolicies: policies });
  if (answer.type === 'failure') {
    sets.free.push(name);
    return { errors: answer.errors };
  }
  const holder = makeHolder(name);
  sets.holders.register(holder, name);
  holding.add(holder);
  return { holder };
}
