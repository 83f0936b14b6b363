// SPDX-License-Identifier: Apache-2.0
import { nearNames } from './near-names.ts';

/** A command line that does not fit what was declared. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
}

/** For a name that does not exist; says which it may have been meant for. */
export function unknownName(kind: 'command' | 'option', name: string, names: readonly string[]): CommandLineError {
  const near = nearNames(name, names);
  const question = near.length > 1 ? `one of ${near.join(', ')}` : near.join('');
  return new CommandLineError(`unknown ${kind} '${name}'${question && `\n(Did you mean ${question}?)`}`);
}
