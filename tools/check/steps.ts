// SPDX-License-Identifier: Apache-2.0
import { checkPages } from '../docs/pages.ts';
import { checkLevels } from '../levels/check-levels.ts';
import { formatLevelFinding } from '../levels/finding.ts';
import { checkLockFile } from '../supply-chain/check-lock-file.ts';
import { readLockFile } from '../supply-chain/lock-file.ts';
import { type Step, toolStep } from './step.ts';

/** The checks, in the order they run and are printed. */
export function checkSteps(root: string): Step[] {
  return [
    toolStep(root, 'types', 'the whole tree compiles', 'typescript/bin/tsc', '-p', 'tsconfig.json'),
    toolStep(
      root,
      'pure types',
      'levels 0 to 6 compile without Node.js and DOM',
      'typescript/bin/tsc',
      '-p',
      'tsconfig.pure.json',
    ),
    toolStep(
      root,
      'format, lint',
      'npx biome check --write mends most',
      '@biomejs/biome/bin/biome',
      'ci',
      '--colors=off',
      '--diagnostic-level=warn',
      '--error-on-warnings',
    ),
    toolStep(
      root,
      'unused',
      'no unused or undeclared dependency, no unused file or export',
      'knip/bin/knip.js',
      '--no-config-hints',
      '--no-progress',
    ),
    {
      name: 'levels',
      holds: 'imports go down, pure packages stay pure, files are where and as they should be',
      run: async () => checkLevels(root).map(formatLevelFinding),
    },
    {
      name: 'dependencies',
      holds:
        'what is locked has digests, is of a registry, and runs nothing when it is installed that nobody has looked at',
      run: async () => checkLockFile(readLockFile(root)),
    },
    { name: 'docs', holds: 'generated pages are up to date; npm run docs writes them', run: () => checkPages(root) },
  ];
}
