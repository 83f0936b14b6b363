// SPDX-License-Identifier: Apache-2.0
import { NOUNS } from './noun.ts';
import { runCommand } from './run.ts';

runCommand(process.argv.slice(2), NOUNS).then((code) => {
  process.exitCode = code;
});
