// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';

/** One check of `npm run check`. */
export interface Step {
  readonly name: string;
  /** What it holds, for whoever sees it fail. */
  readonly holds: string;
  /** The findings, as lines to print; none when all is well. */
  run(): Promise<readonly string[]>;
}

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** A tool of node_modules, by its JavaScript file; its output is shown when it ends with another code than 0. */
export function toolStep(root: string, name: string, holds: string, script: string, ...args: string[]): Step {
  const argv = [`node_modules/${script}`, ...args];
  const env = { ...process.env, NO_COLOR: '1' };
  return {
    name,
    holds,
    run: () =>
      new Promise((resolve) => {
        execFile(process.execPath, argv, { cwd: root, env, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
          if (error === null) return resolve([]);
          const output = `${stdout}${stderr}`.trim();
          resolve([output === '' ? error.message : output]);
        });
      }),
  };
}
