// SPDX-License-Identifier: Apache-2.0
/** npm test [-- FILE|FOLDER …]: runs the tests and says what passed, failed and was skipped. */
import { fileURLToPath } from 'node:url';
import { FilterError, findTestFiles } from './test-runner/find-files.ts';
import { formatFile, formatVerdict } from './test-runner/format.ts';
import type { FileResult } from './test-runner/outcome.ts';
import { runFailedAgain } from './test-runner/run-again.ts';
import { stopRunningFiles } from './test-runner/run-file.ts';
import { runTests } from './test-runner/run-tests.ts';
import { judge } from './test-runner/verdict.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TIMEOUT_MS = 10 * 60_000;

async function main(filters: string[]): Promise<number> {
  // npm starts scripts at the root and leaves the user's folder in INIT_CWD.
  const files = findTestFiles(ROOT, filters, process.env.INIT_CWD ?? process.cwd());
  const start = performance.now();
  const isCi = isSet(process.env.CI);
  const options = {
    root: ROOT,
    timeoutMs: TIMEOUT_MS,
    onFile: (result: FileResult) => console.log(formatFile(result)),
  };
  const first = await runTests({ ...options, files });
  // A developer sees each failure at once; in CI one that chance made would hide all the rest.
  const { results, shaky } = isCi ? await runFailedAgain(first, options) : { results: first, shaky: [] };
  const verdict = judge(results, isCi);
  const failures = results.flatMap((result) => result.outcomes).filter((outcome) => outcome.status === 'failed');
  console.log(`\n${files.length} files in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  console.log(formatVerdict(verdict, failures, shaky));
  return verdict.isGood ? 0 : 1;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stopRunningFiles();
    process.exit(1);
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof FilterError)) throw error;
  console.error(`npm test: ${error.message}`);
  process.exitCode = 2;
}
