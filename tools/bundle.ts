// SPDX-License-Identifier: Apache-2.0
// Makes the program of a verb ready, so that it starts at once: `node tools/bundle.ts OUT_FOLDER [NOUN.VERB]`. The
// launcher calls it the first time, and its loader when a source has changed; see docs/decisions/0004-start-up.md.
import { bundleCommand } from './bundle/bundle-command.ts';

/** What esbuild throws has the errors, which it has said; where its code threw is of no use to anybody. */
const isBuildFailure = (error: unknown): boolean => error instanceof Error && 'errors' in error;

/** The checkout is somebody else's: its sources run as they are, and nobody needs to be told each time. */
const NOT_OURS = new Set(['EACCES', 'EPERM', 'EROFS']);

const [outFolder, name = 'main'] = process.argv.slice(2);
if (outFolder === undefined) {
  process.stderr.write('usage: node tools/bundle.ts OUT_FOLDER [NOUN.VERB]\n');
  process.exitCode = 2;
} else {
  try {
    await bundleCommand(outFolder, name);
  } catch (error) {
    if (!isBuildFailure(error) && !NOT_OURS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    process.exitCode = 1;
  }
}
