// SPDX-License-Identifier: Apache-2.0
import type { Scope } from './codec.ts';
import { CodecError } from './error.ts';
import { show } from './show.ts';

/** Refuses a declaration whose size or limit is no limit at all: NaN compares false with everything. */
export function requireDeclared(what: string, n: number, least = 0): void {
  if (!Number.isSafeInteger(n) || n < least)
    throw new Error(`${what} is ${show(n)}, expected a whole number of at least ${least}`);
}

/** Refuses a size or count, read or about to be written, that is none or is more than the declaration allows. */
export function requireWithin(what: string, n: number, max: number, at: number): void {
  if (!Number.isSafeInteger(n) || n < 0)
    throw new CodecError('invalid', at, `${what} is ${show(n)}, expected a whole number`);
  if (n > max) throw new CodecError('limit', at, `${what} ${n} exceeds ${max}`);
}

/**
 * The size or count that an earlier field holds, at most `max`. A 64-bit field becomes a number here, after the bound
 * was checked.
 */
export function countIn(scope: Scope, field: string, max: number, at: number): number {
  const n = scope.get(field);
  if (typeof n === 'bigint') {
    if (n > BigInt(max)) throw new CodecError('limit', at, `${field} ${n} exceeds ${max}`);
    return Number(n);
  }
  if (typeof n !== 'number')
    throw new CodecError('invalid', at, `${field} is ${show(n)}, expected a number before this field`);
  requireWithin(field, n, max, at);
  return n;
}

/** Refuses to write `n` of something where the field that counts it says otherwise. */
export function requireCounted(scope: Scope, field: string, what: string, n: number, at: number): void {
  const said = scope.get(field);
  if (said !== n && said !== BigInt(n))
    throw new CodecError('invalid', at, `${n} ${what}, but ${field} is ${show(said)}`);
}

/** Refuses what is not a list, whatever its declared type says. */
export function requireArray(items: unknown, at: number): void {
  if (!Array.isArray(items)) throw new CodecError('invalid', at, `expected a list, got ${show(items)}`);
}
