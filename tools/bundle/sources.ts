// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** `export * from`, `export { x } from`, `export { x }`: which file a name leads to is said here, and leaves no trace. */
const LEADS_ELSEWHERE = /\bexport\s*(?:type\s*)?[*{]/;

/**
 * The sources that a bundle depends on, from the root: of a package's files most are looked at, and left out as nothing uses
 * them. A change of one of those changes nothing, where the package says that its files have no effect but what they export.
 * @param metafile of a bundle without minified syntax: that puts the value of a constant where it is used, and then the file
 *   that it comes from looks unused.
 */
export function sourcesOf(root: string, metafile: Metafile): string[] {
  const used = new Set(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    ),
  );
  const isWithoutEffects = memoized((member: string): boolean => {
    const manifest = JSON.parse(readFileSync(join(root, member, 'package.json'), 'utf8')) as { sideEffects?: unknown };
    return manifest.sideEffects === false;
  });
  return Object.keys(metafile.inputs).filter((path) => {
    // What a plugin makes up has its namespace before it, as 'lazy-builtin:os'.
    if (/^[a-z-]+:/.test(path)) return false;
    const [member] = /^packages\/[^/]+/.exec(path) ?? [];
    if (used.has(path) || member === undefined || !isWithoutEffects(member)) return true;
    return LEADS_ELSEWHERE.test(readFileSync(join(root, path), 'utf8'));
  });
}

function memoized<T>(find: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? find(key);
    known.set(key, value);
    return value;
  };
}
