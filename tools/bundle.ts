// SPDX-License-Identifier: Apache-2.0
// Makes one file of the command, so that it starts at once: `node tools/bundle.ts OUT_FOLDER`. The launcher calls it when
// a source is newer than the last one; see docs/decisions/0004-start-up.md.
import { bundleCommand } from './bundle/bundle-command.ts';

const [outFolder] = process.argv.slice(2);
if (outFolder === undefined) {
  process.stderr.write('usage: node tools/bundle.ts OUT_FOLDER\n');
  process.exitCode = 2;
} else {
  await bundleCommand(outFolder);
}
