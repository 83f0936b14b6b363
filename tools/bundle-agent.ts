// SPDX-License-Identifier: Apache-2.0
// The agent as one file for machines: `node tools/bundle-agent.ts OUT_FILE`. `vouchsafe agent bundle` calls it.
import { bundleAgent } from './bundle/bundle-agent.ts';

const [outFile] = process.argv.slice(2);
if (outFile === undefined) {
  process.stderr.write('usage: node tools/bundle-agent.ts OUT_FILE\n');
  process.exitCode = 2;
} else {
  await bundleAgent(outFile);
}
