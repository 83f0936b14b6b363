// SPDX-License-Identifier: Apache-2.0
import { countIn, requireArray, requireCounted, requireDeclared, requireWithin } from './bounds.ts';
import type { Codec, Scope } from './codec.ts';
import { CodecError, rethrowUnder } from './error.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

function readItems<T>(r: Reader, item: Codec<T>, count: number, scope: Scope): T[] {
  const items: T[] = [];
  try {
    while (items.length < count) items.push(item.read(r, scope));
  } catch (error) {
    rethrowUnder(items.length, error);
  }
  return items;
}

function writeItems<T>(w: Writer, item: Codec<T>, items: readonly T[], scope: Scope): void {
  let i = 0;
  if (item.size !== undefined) w.expect(items.length * item.size);
  try {
    for (; i < items.length; i++) item.write(w, items[i] as T, scope);
  } catch (error) {
    rethrowUnder(i, error);
  }
}

/** To the end of a window, items without bytes would never end when read, and would be lost when written. */
function requireProgress(pos: number, at: number): void {
  if (pos === at) throw new CodecError('invalid', at, 'an item without bytes');
}

/** A count, then that many items. `max` is mandatory: input never chooses how much is allocated. */
export function list<T>(count: Codec<number>, item: Codec<T>, max: number): Codec<T[]> {
  requireDeclared('the limit of a list', max);
  return {
    name: `${item.name}[], counted by ${count.name}, at most ${max}`,
    size: undefined,
    read: (r, scope) => {
      const at = r.pos;
      const n = count.read(r, scope);
      requireWithin('count', n, max, at);
      return readItems(r, item, n, scope);
    },
    write: (w, items, scope) => {
      requireArray(items, w.pos);
      requireWithin('count', items.length, max, w.pos);
      count.write(w, items.length, scope);
      writeItems(w, item, items, scope);
    },
  };
}

/** As many items as an earlier field of the structure says. */
export function listOf<T>(count: string, item: Codec<T>, max: number): Codec<T[]> {
  requireDeclared('the limit of a list', max);
  return {
    name: `${item.name}[${count}], at most ${max}`,
    size: undefined,
    read: (r, scope) => {
      return readItems(r, item, countIn(scope, count, max, r.pos), scope);
    },
    write: (w, items, scope) => {
      requireArray(items, w.pos);
      requireWithin(count, items.length, max, w.pos);
      requireCounted(scope, count, 'items', items.length, w.pos);
      writeItems(w, item, items, scope);
    },
  };
}

/** Items up to the end of the enclosing window. An item that takes no bytes is refused, as it would never end. */
export function listToEnd<T>(item: Codec<T>, max: number): Codec<T[]> {
  requireDeclared('the limit of a list', max);
  return {
    name: `${item.name}[] to the end, at most ${max}`,
    size: undefined,
    read: (r, scope) => {
      const items: T[] = [];
      try {
        while (r.pos < r.end) {
          const at = r.pos;
          requireWithin('count', items.length + 1, max, at);
          items.push(item.read(r, scope));
          requireProgress(r.pos, at);
        }
      } catch (error) {
        rethrowUnder(items.length, error);
      }
      return items;
    },
    write: (w, items, scope) => {
      requireArray(items, w.pos);
      requireWithin('count', items.length, max, w.pos);
      let i = 0;
      try {
        for (; i < items.length; i++) {
          const at = w.pos;
          item.write(w, items[i] as T, scope);
          requireProgress(w.pos, at);
        }
      } catch (error) {
        rethrowUnder(i, error);
      }
    },
  };
}
