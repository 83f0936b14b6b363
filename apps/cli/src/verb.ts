// SPDX-License-Identifier: Apache-2.0
import type { Command } from './arguments/command.ts';
import type { Session } from './session.ts';

/** One verb: adds its arguments, options and action to the command that bears its name. */
export interface Verb {
  define(command: Command, session: Session): void;
}
