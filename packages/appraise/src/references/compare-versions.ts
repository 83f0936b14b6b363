// SPDX-License-Identifier: Apache-2.0

/**
 * Compares two versions as the UAPI Group's Version Format Specification 1 has it (systemd's strverscmp_improved): below 0
 * when the first is older. A tilde sorts before the end, so that 1.0~rc1 is older than 1.0; digits count as numbers.
 */
export function compareVersions(a: string, b: string): number {
  let [i, j] = [0, 0];
  for (;;) {
    // Octets that are not part of the format are passed over.
    while (i < a.length && !VALID.test(a[i] as string)) i++;
    while (j < b.length && !VALID.test(b[j] as string)) j++;
    for (const mark of ['~', '', '-', '^', '.'] as const) {
      const [isA, isB] = mark === '' ? [i < a.length, j < b.length] : [a[i] === mark, b[j] === mark];
      if (mark === '') {
        if (!isA || !isB) return isA === isB ? 0 : isA ? 1 : -1;
        continue;
      }
      if (isA && isB) {
        i++;
        j++;
      } else if (isA || isB) return isA ? -1 : 1;
    }
    const pattern = isDigit(a[i]) || isDigit(b[j]) ? DIGITS : LETTERS;
    const [left, right] = [run(a, i, pattern), run(b, j, pattern)];
    const order = pattern === DIGITS ? compareNumbers(left, right) : compareTexts(left, right);
    if (order !== 0) return order;
    i += left.length;
    j += right.length;
  }
}

const VALID = /[0-9A-Za-z~\-^.]/;
const DIGITS = /[0-9]*/y;
const LETTERS = /[A-Za-z]*/y;

const isDigit = (character: string | undefined): boolean => character !== undefined && /[0-9]/.test(character);

function run(text: string, from: number, pattern: RegExp): string {
  pattern.lastIndex = from;
  return pattern.exec(text)?.[0] ?? '';
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length === right.length ? compareTexts(left, right) : left.length - right.length;
}

const compareTexts = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
