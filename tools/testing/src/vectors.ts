// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Requirement } from './tools.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const VECTORS = resolve(process.env['VOUCHSAFE_VECTORS'] ?? join(ROOT, '../shared/vectors'));

/** Absolute path of a file among the shared vectors. */
export function vectorPath(...parts: string[]): string {
  return join(VECTORS, ...parts);
}

/** Skips the test when that folder of the shared vectors is not there; the runner counts these apart. */
export function needsVectors(...parts: string[]): Requirement {
  return existsSync(vectorPath(...parts)) ? {} : { skip: `missing vectors: ${join(...parts)}` };
}

/** The rows of a tab-separated table with a header line; empty when the vectors are not there. */
export function vectorTsv(...parts: string[]): Record<string, string>[] {
  const path = vectorPath(...parts);
  if (!existsSync(path)) return [];
  const [header = '', ...lines] = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const names = header.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}
