// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { LevelFinding } from './finding.ts';
import type { Tree } from './tree.ts';

/**
 * Files that import each other, directly or through others. Only relative imports are followed: between members the
 * levels rule circles out. Each circle is reported once, at the import that closes it.
 */
export function checkCircles(tree: Tree): LevelFinding[] {
  const byPath = new Map(tree.sources.map((file) => [file.path, file]));
  const findings: LevelFinding[] = [];
  const done = new Set<string>();
  const trail: string[] = [];

  const visit = (path: string): void => {
    trail.push(path);
    for (const { specifier, line } of byPath.get(path)?.syntax.imports ?? []) {
      if (specifier === undefined || !specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(path), specifier);
      if (!byPath.has(target) || done.has(target)) continue;
      const start = trail.indexOf(target);
      if (start === -1) visit(target);
      else {
        const circle = [...trail.slice(start), target].join(' → ');
        findings.push({
          file: path,
          line,
          rule: 'circle',
          hint: `${circle}: move what both need into a file of its own`,
        });
      }
    }
    trail.pop();
    done.add(path);
  };

  for (const path of byPath.keys()) if (!done.has(path)) visit(path);
  return findings;
}
