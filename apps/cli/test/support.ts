// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAMS = join(ROOT, 'node_modules/.cache/vouchsafe-programs');

/** What the launcher starts: the program of each verb in one file, made anew where a source has changed. A fifth of the time. */
export const MAIN = join(PROGRAMS, 'main.cjs');
if (!existsSync(MAIN)) execFileSync(process.execPath, [join(ROOT, 'tools/bundle.ts'), PROGRAMS]);

/** Compiled code is kept between the many short runs. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), 'vouchsafe-test-compile-cache'),
};

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in a folder. */
export function vouchsafe(cwd: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    encoding: 'utf8',
    env: ENVIRONMENT,
  });
  return { code: status, stdout, stderr };
}
