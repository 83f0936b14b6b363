// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { FileResult } from './outcome.ts';
import { runTestFile } from './run-file.ts';

export interface RunOptions {
  readonly root: string;
  /** From the root. */
  readonly files: readonly string[];
  /** For each file. */
  readonly timeoutMs: number;
  /** Called as each file ends. */
  readonly onFile?: (result: FileResult) => void;
}

/** Runs the files, as many at a time as there are cores; the results are in the order of `files`. */
export async function runTests({ root, files, timeoutMs, onFile }: RunOptions): Promise<FileResult[]> {
  const results: FileResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++) {
      const result = await runTestFile(root, files[i] as string, timeoutMs);
      results[i] = result;
      onFile?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, worker));
  return results;
}
