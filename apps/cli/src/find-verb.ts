// SPDX-License-Identifier: Apache-2.0

import { Command } from './arguments/command.ts';
import { unknownName } from './arguments/command-line-error.ts';
import { readLeadingOptions } from './arguments/read-arguments.ts';
import { EXIT } from './exit-code.ts';
import { isSingle } from './noun.ts';
import type { Nouns } from './noun-entry.ts';
import type { Session } from './session.ts';
import { showUsage } from './terminal/show-usage.ts';
import { writeOut } from './terminal/standard-streams.ts';
import { version } from './version.ts';

/** The verb that is asked for, as it declares itself, and what it is called with. */
interface FoundVerb {
  readonly command: Command;
  readonly rest: readonly string[];
}

const JSON_OPTION = ['--json', 'print one JSON document'] as const;
const NO_VERB = 'no command was named; vouchsafe -h lists them';

/**
 * Looks the verb up; only its own code is loaded.
 * @returns undefined when all has been said: the usage, or the version.
 * @throws {CommandLineError} for a command or option that there is not.
 */
export async function findVerb(
  args: readonly string[],
  nouns: Nouns,
  session: Session,
): Promise<FoundVerb | undefined> {
  const program = new Command('vouchsafe')
    .description('Image-based Linux that can prove what it booted.')
    .option('-V, --version', 'print the version')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  vouchsafe verity format root.erofs root.hash');
  const inProgram = under(program, nouns, args, session);
  if (inProgram === undefined) return undefined;
  const { name: nounName, entry: noun, rest } = inProgram;
  if (isSingle(noun)) {
    const single = new Command(`vouchsafe ${nounName}`);
    (await noun.load()).define(single, session);
    return { command: single, rest };
  }

  const command = new Command(`vouchsafe ${nounName}`)
    .description(noun.summary)
    .option(...JSON_OPTION)
    .addHelpText('after', `\nExample:\n  ${noun.example}`);
  const inNoun = under(command, noun.verbs, rest, session);
  if (inNoun === undefined) return undefined;

  const verb = new Command(`vouchsafe ${nounName} ${inNoun.name}`);
  (await inNoun.entry.load()).define(verb, session);
  return { command: verb, rest: inNoun.rest };
}

/** The entry of a table that the first word names; undefined when all has been said. */
function under<T extends { readonly summary: string }>(
  command: Command,
  table: Readonly<Record<string, T>>,
  args: readonly string[],
  session: Session,
): { readonly name: string; readonly entry: T; readonly rest: readonly string[] } | undefined {
  for (const [name, { summary }] of Object.entries(table)) command.subcommand(name, summary);
  const read = readLeadingOptions(command.spec, args);
  if (read === 'help') {
    showUsage(command.spec, 'out');
    return undefined;
  }
  if (read.options['version'] === true) {
    writeOut(Buffer.from(`${version()}\n`));
    return undefined;
  }
  const [name, ...rest] = read.rest;
  if (name === undefined) {
    showUsage(command.spec, 'err');
    session.fail('usage', NO_VERB, true);
    session.exitCode = EXIT.usage;
    return undefined;
  }
  if (!Object.hasOwn(table, name)) throw unknownName('command', name, Object.keys(table));
  return { name, entry: table[name] as T, rest };
}
