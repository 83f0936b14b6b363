// SPDX-License-Identifier: Apache-2.0
// The agent alone, for machines: `vouchsafe agent bundle` makes one file of it. The noun may be left out.
import { NOUNS } from './noun.ts';
import { runCommand } from './run.ts';

const { agent } = NOUNS;
const args = process.argv.slice(2);
runCommand(args[0] === 'agent' ? args : ['agent', ...args], agent === undefined ? {} : { agent }).then((code) => {
  process.exitCode = code;
});
