// SPDX-License-Identifier: Apache-2.0

/** A slip of the finger or two. */
const MAX_SLIPS = 2;
/** Of the longer of two names, how much may differ: 'sing' may be 'sign', 'x' is not 'o'. */
const MAX_SHARE = 0.6;

/** Those of the names that are nearest to a mistyped one, in their order; none when none is near. */
export function nearNames(mistyped: string, names: readonly string[]): string[] {
  const bare = (name: string): string => name.replace(/^--/, '');
  const near = [...new Set(names)]
    .map((name) => ({ name, slips: slipsBetween(bare(mistyped), bare(name)), length: bare(name).length }))
    .filter(({ slips, length }) => slips <= MAX_SLIPS && slips < MAX_SHARE * Math.max(length, bare(mistyped).length));
  const fewest = Math.min(...near.map(({ slips }) => slips));
  return near.filter(({ slips }) => slips === fewest).map(({ name }) => name);
}

/**
 * How many letters were left out, put in, put wrong, or swapped with the next: the distance of Damerau and Levenshtein
 * where no letter is touched twice.
 */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_SLIPS) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const wrong = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (beforeLast[j - 2] ?? 0) + 1 : wrong;
      row.push(Math.min(wrong, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
