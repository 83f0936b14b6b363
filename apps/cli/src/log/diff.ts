// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type DescribedEvent, diffLogs, digestOf, type EventChange, type LogDiff } from '@vouchsafe/eventlog';
import { formatBank, type TpmBank } from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { eventDocument } from './log-document.ts';
import { logQuirks, type Quirk, quirkOption } from './quirks.ts';
import { readLog } from './read-log.ts';
import { bankName } from './show.ts';

interface DiffOptions {
  readonly bank?: TpmBank;
  readonly quirk?: readonly Quirk[];
}

export const diff: Verb = {
  define(command, session) {
    command
      .description('Says which events changed between two boots, in words.')
      .argument('<A>', 'log of the one boot')
      .argument('<B>', 'log of the other')
      .option('--bank <name>', 'bank to compare (default: the best one that both have)', bankName)
      .addOption(quirkOption())
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: something changed.\n\nExample:\n  vouchsafe log diff before.log after.log',
      )
      .action((a: string, b: string, options: DiffOptions) => run(session, a, b, options));
  },
};

function run(session: Session, a: string, b: string, { bank, quirk }: DiffOptions): void {
  const note = (text: string): void => session.note(text);
  const [before, after] = [readLog(a, logQuirks(quirk), note), readLog(b, logQuirks(quirk), note)];
  const result = diffLogs(before.log, after.log, bank);
  if (result === undefined) throw new UsageError(`${a} and ${b} have no bank in common; they cannot be compared`);
  if (result.changes.length > 0) session.exitCode = EXIT.no;
  session.answer(printable(diffText(result)), {
    bank: formatBank(result.bank),
    unchanged: result.unchanged,
    changes: result.changes.map(changeDocument),
  });
}

export function changeDocument(change: EventChange): object {
  const { kind, register } = change;
  return {
    kind,
    register,
    ...('before' in change ? { before: eventDocument(change.before) } : {}),
    ...('after' in change ? { after: eventDocument(change.after) } : {}),
  };
}

function diffText({ bank, changes, unchanged }: LogDiff): string {
  if (changes.length === 0) return `no event changed; ${unchanged} are the same (${formatBank(bank)})\n`;
  const lines = changes.map((change) => changeText(change, bank));
  return `${lines.join('\n')}\n${unchanged} events are the same (${formatBank(bank)})\n`;
}

/** A change in words, on one line or a few. */
export function changeText(change: EventChange, bank: TpmBank): string {
  switch (change.kind) {
    case 'added':
      return `${change.register}, ${change.after.stage}: new: ${eventText(change.after, bank)}`;
    case 'removed':
      return `${change.register}, ${change.before.stage}: gone: ${eventText(change.before, bank)}`;
    case 'changed':
      return [
        `${change.register}, ${change.after.stage}: changed: ${oneLine(change.after.summary)}`,
        ...(change.before.summary === change.after.summary ? [] : [`    was: ${oneLine(change.before.summary)}`]),
        `    from ${digestText(change.before, bank)} to ${digestText(change.after, bank)}${caveat(change.after)}`,
      ].join('\n');
  }
}

function eventText(event: DescribedEvent, bank: TpmBank): string {
  return `${oneLine(event.summary)} (${event.event.type}, ${digestText(event, bank)})${caveat(event)}`;
}

const oneLine = (text: string): string => text.replace(/\n/g, '\\n');

/** Text that no digest covers is only what the log says. */
function caveat({ trust }: DescribedEvent): string {
  return trust === 'claimed' ? ', as the log says' : '';
}

function digestText({ event }: DescribedEvent, bank: TpmBank): string {
  const digest = digestOf(event, bank) ?? event.digests[0]?.digest;
  return digest === undefined ? 'no digest' : toHex(digest);
}
