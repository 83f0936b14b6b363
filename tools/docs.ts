// SPDX-License-Identifier: Apache-2.0
/** npm run docs [-- --check]: writes the pages that are made from the sources, or compares them. */
import { fileURLToPath } from 'node:url';
import { checkPages, writePages } from './docs/pages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

if (process.argv.includes('--check')) {
  const findings = await checkPages(ROOT);
  console.log(findings.length === 0 ? 'generated pages are up to date' : findings.join('\n'));
  process.exitCode = findings.length === 0 ? 0 : 1;
} else {
  const changed = await writePages(ROOT);
  console.log(changed.length === 0 ? 'nothing to change' : changed.map((path) => `wrote ${path}`).join('\n'));
}
