// SPDX-License-Identifier: Apache-2.0
/** npm run check: all that can be said about the sources without running them. One line a check; all of them run. */
import { fileURLToPath } from 'node:url';
import { checkSteps } from './check/steps.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

let failures = 0;
for (const step of checkSteps(ROOT)) {
  const start = performance.now();
  const findings = await step.run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${findings.length === 0 ? '✔' : '✖'} ${step.name}  ${seconds} s`);
  if (findings.length === 0) continue;
  failures++;
  console.log(`  (${step.holds})\n${findings.join('\n')}\n`);
}
console.log(failures === 0 ? 'all checks passed' : `${failures} of the checks failed`);
process.exitCode = failures === 0 ? 0 : 1;
