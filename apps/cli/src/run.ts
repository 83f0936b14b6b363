// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import { Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit-code.ts';
import { NOUNS } from './noun.ts';
import { Session } from './session.ts';
import { writeErr, writeOut } from './terminal/standard-streams.ts';
import { version } from './version.ts';

/** Runs one command line. Never throws for what a user can cause. */
export async function runCommand(args: readonly string[]): Promise<ExitCode> {
  const session = new Session(isJsonWanted(args));
  // Node.js would end with 1, which is an answer.
  process.once('uncaughtException', (error) => process.exit(report(error, session)));
  try {
    const program = await programFor(args, session);
    await program.parseAsync(args, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return report(error, session);
  } finally {
    session.close();
  }
}

/** Behind -- there are only names of files. */
function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

const JSON_OPTION = ['--json', 'print one JSON document'] as const;

/** The program with the verb that is asked for, or else with the names of what can be. */
async function programFor(args: readonly string[], session: Session): Promise<Command> {
  const program = new Command('vouchsafe')
    .description('Image-based Linux that can prove what it booted.')
    .version(version(), '-V, --version')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  vouchsafe verity format root.erofs root.hash');
  const [wantedNoun = '', wantedVerb = ''] = args.filter((arg) => !arg.startsWith('-'));
  for (const [nounName, { summary, example, verbs }] of wantedOrAll(NOUNS, wantedNoun)) {
    const noun = setUp(
      program
        .command(nounName)
        .description(summary)
        .option(...JSON_OPTION),
    ).addHelpText('after', `\nExample:\n  ${example}`);
    for (const [verbName, entry] of wantedOrAll(verbs, wantedVerb)) {
      const verb = setUp(noun.command(verbName).summary(entry.summary));
      if (nounName === wantedNoun && verbName === wantedVerb) (await entry.load()).define(verb, session);
    }
  }
  return setUp(program);
}

function wantedOrAll<T>(table: Readonly<Record<string, T>>, wanted: string): [name: string, entry: T][] {
  return Object.hasOwn(table, wanted) ? [[wanted, table[wanted] as T]] : Object.entries(table);
}

/** Options count where they stand: else the program would take --json from a verb that wants it as a value. */
function setUp(command: Command): Command {
  return command
    .enablePositionalOptions()
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('(-h shows the usage)')
    .configureOutput({ writeOut: (text) => void writeOut(new TextEncoder().encode(text)), writeErr });
}

const NO_VERB = 'no command was named; vouchsafe -h lists them';

/** Errors that answer the question with no: what was asked about is whole, and not what it should be. */
const NO_CODES: ReadonlySet<string> = new Set(['block_corrupt', 'root_mismatch', 'signature_invalid']);

function exitCodeOf(code: string): ExitCode {
  if (code === 'options_invalid') return EXIT.usage;
  return NO_CODES.has(code) ? EXIT.no : EXIT.failed;
}

function report(error: unknown, session: Session): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version come as errors too, with 0; what commander refuses, it has said itself.
    if (error.exitCode === 0) return EXIT.good;
    const message = error.code === 'commander.help' ? NO_VERB : error.message.replace(/^error: /, '');
    session.fail('usage', message, true);
    return EXIT.usage;
  }
  if (session.interruption !== undefined) {
    session.failInterrupted();
    return session.interruption;
  }
  if (isVouchsafeError(error)) {
    session.fail(error.code, error.message, false);
    return exitCodeOf(error.code);
  }
  // A defect: the stack is what its report needs.
  session.fail(
    'internal',
    `this is a defect in vouchsafe, please report it: ${error instanceof Error ? error.stack : String(error)}`,
    false,
  );
  return EXIT.failed;
}
