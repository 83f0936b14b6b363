// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FuzzTarget } from '@vouchsafe/testing';

/** Absolute paths of the files that hold targets. */
export function findTargetFiles(root: string): string[] {
  return globSync('packages/*/fuzz/*.ts', { cwd: root })
    .sort()
    .map((path) => join(root, path));
}

/** The target that a file exports. */
export async function loadTarget(file: string): Promise<FuzzTarget> {
  const { target }: { target?: FuzzTarget } = await import(pathToFileURL(file).href);
  if (target === undefined) throw new Error(`${file}: expected an export "target" of type FuzzTarget`);
  return target;
}
