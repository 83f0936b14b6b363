// SPDX-License-Identifier: Apache-2.0
/** npm run advisories [-- --omit=dev]: known advisories of what is locked. Exit status 1: there are some; 3: nobody could be asked. */
import { fileURLToPath } from 'node:url';
import { readAdvisories } from './supply-chain/advisories.ts';

const report = await readAdvisories(fileURLToPath(new URL('..', import.meta.url)), process.argv.slice(2));
if (!report.isKnown) {
  console.log(`not known: the registry does not say (${report.reason}); ask one that does, with --registry=URL`);
  process.exitCode = 3;
} else if (report.advisories.length === 0) {
  console.log(`no known advisories in ${report.packages} packages`);
} else {
  for (const { name, severity, title, url, range } of report.advisories) {
    console.log(`${severity}: ${name} ${range}: ${title}; ${url}`);
  }
  process.exitCode = 1;
}
