// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** What one character of a name is compared with. */
type Matcher = (character: string) => boolean;
/** Of one part of a path; 'any' stands for `*`. */
type PartPattern = readonly (Matcher | 'any')[];
/** 'tree' stands for `**`: any parts, or none. */
type Pattern = readonly (PartPattern | 'tree')[];

const MAX_PATTERN_CHARACTERS = 4096;

/**
 * A pattern of paths as a function: `*` and `?` stand for characters of one part, `[a-z]` and `[!a-z]` for one of some, `**`
 * as a whole part for any parts or none; a backslash takes the next character as it is. The time is bounded by the product of
 * both lengths, whatever the pattern.
 * @throws {DiskError} 'options_invalid' for a pattern that can match nothing.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const refuse = (problem: string): never => {
    throw new DiskError('options_invalid', `pattern ${JSON.stringify(pattern.slice(0, 200))}: ${problem}`);
  };
  if (pattern.length > MAX_PATTERN_CHARACTERS) refuse(`expected at most ${MAX_PATTERN_CHARACTERS} characters`);
  if (pattern === '/') return (path) => path === '';
  const parts = (pattern.startsWith('/') ? pattern.slice(1) : pattern).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    refuse('expected parts that are names, found an empty one, . or ..');
  }
  const compiled: Pattern = parts.map((part) => (part === '**' ? 'tree' : compilePart(part, refuse)));
  return (path) => {
    const names = path === '' ? [] : path.split('/').map((name) => [...name]);
    return matchRun(compiled, names, 'tree', (part, name) => matchRun(part as PartPattern, name, 'any', testOne));
  };
}

const testOne = (matcher: unknown, character: string): boolean => (matcher as Matcher)(character);

/** Matches with one wild card that stands for any run; only the last one met has to be tried again. */
function matchRun<P, V>(
  pattern: readonly P[],
  values: readonly V[],
  wild: P,
  test: (part: P, value: V) => boolean,
): boolean {
  let [p, v] = [0, 0];
  let [retryP, retryV] = [-1, 0];
  while (v < values.length) {
    const part = pattern[p];
    if (part === wild) {
      retryP = p++;
      retryV = v;
    } else if (p < pattern.length && test(part as P, values[v] as V)) {
      p++;
      v++;
    } else if (retryP >= 0) {
      p = retryP + 1;
      v = ++retryV;
    } else return false;
  }
  while (pattern[p] === wild) p++;
  return p === pattern.length;
}

function compilePart(text: string, refuse: (problem: string) => never): PartPattern {
  const characters = [...text];
  const pattern: (Matcher | 'any')[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (character === '*') {
      if (pattern.at(-1) !== 'any') pattern.push('any');
    } else if (character === '?') pattern.push(() => true);
    else if (character === '[') {
      const end = characters.indexOf(']', i + (characters[i + 1] === '!' ? 3 : 2));
      if (end < 0) refuse('expected ] behind [');
      pattern.push(compileSet(characters.slice(i + 1, end), refuse));
      i = end;
    } else {
      const literal = character === '\\' ? characters[++i] : character;
      if (literal === undefined) refuse('expected a character behind the backslash');
      pattern.push((found) => found === literal);
    }
  }
  return pattern;
}

function compileSet(characters: readonly string[], refuse: (problem: string) => never): Matcher {
  const isNot = characters[0] === '!';
  const members = isNot ? characters.slice(1) : characters;
  const ranges: [number, number][] = [];
  const code = (i: number): number => members[i]?.codePointAt(0) as number;
  for (let i = 0; i < members.length; i++) {
    const isRange = members[i + 1] === '-' && i + 2 < members.length;
    const last = isRange ? i + 2 : i;
    if (code(last) < code(i)) refuse(`expected a range that goes up, found ${members[i]}-${members[last]}`);
    ranges.push([code(i), code(last)]);
    i = last;
  }
  return (found) => {
    const at = found.codePointAt(0) as number;
    return ranges.some(([from, to]) => at >= from && at <= to) !== isNot;
  };
}
