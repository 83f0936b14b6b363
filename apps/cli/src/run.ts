// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import { CommandLineError } from './arguments/command-line-error.ts';
import { readArguments } from './arguments/read-arguments.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { findVerb } from './find-verb.ts';
import type { Nouns } from './noun-entry.ts';
import { Session } from './session.ts';
import { showUsage } from './terminal/show-usage.ts';
import { writeErr } from './terminal/standard-streams.ts';

/** Runs one command line, with these nouns. Never throws for what a user can cause. */
export async function runCommand(args: readonly string[], nouns: Nouns): Promise<ExitCode> {
  const session = new Session(isJsonWanted(args));
  // Node.js would end with 1, which is an answer.
  process.once('uncaughtException', (error) => process.exit(report(error, session)));
  try {
    const found = await findVerb(args, nouns, session);
    if (found === undefined) return session.exitCode;
    const { command, rest } = found;
    const read = readArguments(command.spec, rest);
    if (read === 'help') showUsage(command.spec, 'out');
    else await command.run(read.operands, read.options);
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

/** Errors that answer the question with no: what was asked about is whole, and not what it should be. */
const NO_CODES: ReadonlySet<string> = new Set(['block_corrupt', 'root_mismatch', 'signature_invalid']);

function exitCodeOf(code: string): ExitCode {
  if (code === 'options_invalid') return EXIT.usage;
  return NO_CODES.has(code) ? EXIT.no : EXIT.failed;
}

function report(error: unknown, session: Session): ExitCode {
  if (error instanceof CommandLineError) {
    session.fail('usage', error.message, false);
    writeErr('(-h shows the usage)\n');
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
