// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LabError } from '../error.ts';

const COMMAND = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));

/**
 * Runs the command of this checkout, as whoever follows the documentation does.
 * @returns its standard output.
 * @throws {LabError} 'tool_failed' for any exit status but 0, with what it said.
 */
export function runVouchsafe(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(COMMAND, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const said = error?.message ?? stderr.trim();
  throw new LabError('tool_failed', `vouchsafe ${args.join(' ')} ended with ${status}: ${said}`);
}
