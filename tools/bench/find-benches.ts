// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench, Survey } from '@vouchsafe/testing';

/** The benchmarks of the workspace, by name. Other files beside them are their parts and are left alone. */
export async function findBenches(root: string): Promise<Map<string, Bench | Survey>> {
  const benches = new Map<string, Bench | Survey>();
  for (const path of globSync(['packages/*/bench/*.ts', 'apps/*/bench/*.ts', 'tools/bench/*.ts'], {
    cwd: root,
  }).sort()) {
    if (!/^export const bench\b/m.test(readFileSync(join(root, path), 'utf8'))) continue;
    const { bench }: { bench: Bench | Survey } = await import(pathToFileURL(join(root, path)).href);
    if (benches.has(bench.name)) throw new Error(`${path}: a second benchmark is named ${bench.name}`);
    benches.set(bench.name, bench);
  }
  return benches;
}
