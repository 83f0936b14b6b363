// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { FileResult } from './outcome.ts';
import { runTestFile } from './run-file.ts';

export interface RunOptions {
  readonly root: string;
  /** From the root. */
  readonly files: readonly string[];
  /** For each file; one that boots machines, `*.slow.test.ts`, has twice as long: they are emulated, and share the cores. */
  readonly timeoutMs: number;
  /** Called as each file ends. */
  readonly onFile?: (result: FileResult) => void;
}

/** Runs the files, as many at a time as there are cores; the results are in the order of `files`. */
export async function runTests({ files, ...options }: RunOptions): Promise<FileResult[]> {
  const results: FileResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++) results[i] = await runOne(files[i] as string, options);
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, worker));
  return results;
}

/** Runs one file, within its time. */
export async function runOne(
  file: string,
  { root, timeoutMs, onFile }: Omit<RunOptions, 'files'>,
): Promise<FileResult> {
  const result = await runTestFile(root, file, file.endsWith('.slow.test.ts') ? 2 * timeoutMs : timeoutMs);
  onFile?.(result);
  return result;
}
