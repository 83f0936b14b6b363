// SPDX-License-Identifier: Apache-2.0
import type { FileResult, TestOutcome } from './outcome.ts';
import { type RunOptions, runOne } from './run-tests.ts';

/** More files than this do not fail by chance. */
const MAX_FILES = 4;

export interface SecondRun {
  /** In the order of the first: of a file that failed, what it came to when it ran again. */
  readonly results: readonly FileResult[];
  /** What failed in files that passed the second time. */
  readonly shaky: readonly TestOutcome[];
}

const hasFailed = ({ outcomes }: FileResult): boolean => outcomes.some(({ status }) => status === 'failed');

/**
 * Runs the few files that failed once more, one by one and with the machine to themselves. An emulated machine stands still
 * when the host's processors are taken away for long enough, and one such boot must not hide what the other three thousand tests
 * say. What passes only now is named in the report, as a fault of the test that somebody has to look at.
 */
export async function runFailedAgain(
  first: readonly FileResult[],
  options: Omit<RunOptions, 'files'>,
): Promise<SecondRun> {
  const failed = first.filter(hasFailed);
  if (failed.length > MAX_FILES) return { results: first, shaky: [] };
  const again = new Map<string, FileResult>();
  for (const { file } of failed) again.set(file, await runOne(file, options));
  return {
    results: first.map((result) => again.get(result.file) ?? result),
    shaky: failed
      .filter(({ file }) => !hasFailed(again.get(file) as FileResult))
      .flatMap(({ outcomes }) => outcomes.filter(({ status }) => status === 'failed')),
  };
}
