// SPDX-License-Identifier: Apache-2.0
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Input } from './program-file.ts';

/** What goes into every program besides its sources: what bundles them, with which settings and versions. */
const WORKSHOP = ['package-lock.json', 'tsconfig.json', 'tools/bundle.ts', 'tools/bundle/*.ts'];

/** A file system's clock may lag behind the machine's by so much. */
const CLOCK_LAG_MS = 50;

/**
 * The files that a program is made of, as they are now.
 * @param sources relative to the root.
 * @param startedMs when the first of them was read, or before. One that has changed since then may have been read before
 *   or after; it is put down so that no file is like it.
 */
export function inputsOf(root: string, sources: readonly string[], startedMs: number): Input[] {
  // A member's manifest says which of its files a name stands for.
  const manifests = sources.flatMap((path) => /^(?:packages|apps)\/[^/]+\//.exec(path) ?? []);
  const paths = new Set([
    // Packages of others change with the lock file, which is one of the workshop's.
    ...sources.filter((path) => !path.startsWith('node_modules/')),
    ...manifests.map((folder) => `${folder}package.json`),
    ...globSync(WORKSHOP, { cwd: root }),
  ]);
  return [...paths].sort().map((path) => {
    const { size, mtimeMs, ctimeMs } = statSync(join(root, path));
    const isSettled = Math.max(mtimeMs, ctimeMs) < startedMs - CLOCK_LAG_MS;
    return [path, isSettled ? size : -1, mtimeMs, ctimeMs];
  });
}
