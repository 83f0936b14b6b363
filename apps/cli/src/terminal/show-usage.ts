// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import type { CommandSpec } from '../arguments/command.ts';
import { usageText } from '../arguments/usage-text.ts';
import { writeErr, writeOut } from './standard-streams.ts';

/** Where there is no terminal, or one that does not know. */
const USUAL_COLUMNS = 80;

/** Shows the usage of a command: on standard output who asks for it, on standard error who needs it. */
export function showUsage(spec: CommandSpec, stream: 'out' | 'err'): void {
  if (stream === 'out') writeOut(Buffer.from(usageText(spec, columnsOf('stdout', 1))));
  else writeErr(usageText(spec, columnsOf('stderr', 2)));
}

/** The stream is asked only where it is a terminal: Node.js takes milliseconds to make it. */
function columnsOf(name: 'stdout' | 'stderr', fd: 1 | 2): number {
  return (isatty(fd) && process[name].columns) || USUAL_COLUMNS;
}
