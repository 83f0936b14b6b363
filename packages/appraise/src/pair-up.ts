// SPDX-License-Identifier: Apache-2.0

/** What stands beside what; one side is undefined where there is no partner. */
export interface Pair {
  readonly left: number | undefined;
  readonly right: number | undefined;
}

/** A text to compare; undefined equals nothing, not even another undefined. */
type Key = string | undefined;

/** Cells of the table of the exact comparison: 4 MiB of counts. Beyond, one pass finds less, but all that it finds is true. */
const MAX_CELLS = 1024 * 1024;

/**
 * Lays two sequences beside each other, in order and without crossings, each element once, equal ones together. What both
 * begin and end with is paired at once; between, the longest common subsequence is, so that one event too many or too few
 * is named as just that. Longer stretches than that is bearable for take one pass. Both sequences equal means all paired.
 */
export function pairUp(left: readonly Key[], right: readonly Key[]): Pair[] {
  const isEqual = (i: number, j: number): boolean => left[i] !== undefined && left[i] === right[j];
  const least = Math.min(left.length, right.length);
  let head = 0;
  while (head < least && isEqual(head, head)) head++;
  let tail = 0;
  while (tail < least - head && isEqual(left.length - 1 - tail, right.length - 1 - tail)) tail++;
  const ends = { left: left.length - tail, right: right.length - tail };
  const isBearable = (ends.left - head + 1) * (ends.right - head + 1) <= MAX_CELLS;
  const partners = (isBearable ? longestCommon : firstComeFirstServed)(
    left.slice(head, ends.left),
    right.slice(head, ends.right),
  );
  const pairs: Pair[] = [];
  const put = (l: number | undefined, r: number | undefined): void => void pairs.push({ left: l, right: r });
  for (let i = 0; i < head; i++) put(i, i);
  let next = head;
  for (const [i, partner] of partners.entries()) {
    while (partner !== undefined && next < head + partner) put(undefined, next++);
    put(head + i, partner === undefined ? undefined : next++);
  }
  while (next < ends.right) put(undefined, next++);
  for (let i = 0; i < tail; i++) put(ends.left + i, ends.right + i);
  return pairs;
}

/** For each element of the left its partner in the right. */
type Partners = (number | undefined)[];

/** By the table of lengths from each pair of places on. */
function longestCommon(left: readonly Key[], right: readonly Key[]): Partners {
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] as number;
  const isEqual = (i: number, j: number): boolean => left[i] !== undefined && left[i] === right[j];
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] = isEqual(i, j) ? 1 + at(i + 1, j + 1) : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const partners: Partners = new Array<number | undefined>(left.length).fill(undefined);
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (isEqual(i, j)) partners[i++] = j++;
    // As good either way: the earlier event is the one that was meant.
    else if (at(i, j + 1) >= at(i + 1, j)) j++;
    else i++;
  }
  return partners;
}

/** Each takes the next equal one that is left; in linear time, as the places of each key are gone through once. */
function firstComeFirstServed(left: readonly Key[], right: readonly Key[]): Partners {
  const places = new Map<string, { readonly at: number[]; used: number }>();
  right.forEach((key, j) => {
    if (key === undefined) return;
    const known = places.get(key);
    if (known === undefined) places.set(key, { at: [j], used: 0 });
    else known.at.push(j);
  });
  let next = 0;
  return left.map((key) => {
    const place = key === undefined ? undefined : places.get(key);
    if (place === undefined) return undefined;
    while ((place.at[place.used] ?? next) < next) place.used++;
    const partner = place.at[place.used];
    if (partner !== undefined) next = partner + 1;
    return partner;
  });
}
