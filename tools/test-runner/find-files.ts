// SPDX-License-Identifier: Apache-2.0
import { globSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';

const PATTERNS = [
  'packages/*/test/**/*.test.ts',
  'apps/*/test/**/*.test.ts',
  'lab/test/**/*.test.ts',
  'tools/test/**/*.test.ts',
];

/** A filter that names nothing: a mistake, which must not pass as "all is well". */
export class FilterError extends Error {}

/**
 * The test files, from the root, sorted, with those that boot machines first, so that no core waits for one at the end; with filters, those that a filter names or that lie under a folder it names.
 * A filter is looked up from `cwd` first, then from the root, so that `npm test -- packages/codec` works anywhere.
 * @throws {FilterError}
 */
export function findTestFiles(root: string, filters: readonly string[], cwd: string): string[] {
  const sorted = [...new Set(globSync(PATTERNS, { cwd: root }))].sort();
  const isSlow = (file: string): boolean => file.endsWith('.slow.test.ts');
  const all = [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  if (filters.length === 0) return all;
  const wanted = new Set<string>();
  for (const filter of filters) {
    const place = [resolve(cwd, filter), resolve(root, filter)].find(
      (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
    );
    if (place === undefined) throw new FilterError(`${filter}: no such file or folder`);
    const path = relative(root, place);
    const found = all.filter((file) => path === '' || file === path || file.startsWith(path + sep));
    if (found.length === 0) throw new FilterError(`${filter}: no test file there; they are ${PATTERNS.join(', ')}`);
    for (const file of found) wanted.add(file);
  }
  return all.filter((file) => wanted.has(file));
}
