// SPDX-License-Identifier: Apache-2.0

import { type ExplainedEvent, explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { digestOf, isPcrEvent } from '@vouchsafe/eventlog';
import { type Bank, type BootCondition, conditionText } from '@vouchsafe/manifest';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import { readManifestFile } from '../manifest-file.ts';
import { collect } from '../parse.ts';
import { originText } from '../pcr/prediction-text.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { readLog } from './read-log.ts';

interface ExplainOptions {
  readonly manifest: readonly string[];
  readonly key?: readonly string[];
  readonly secureBoot?: 'on' | 'off';
  readonly bank?: Bank;
  readonly all?: true;
}

export const explain: Verb = {
  define(command, session) {
    command
      .description(
        'Says of each event of LOG where it comes from: which file of which image, or the machine; what is unexpected, and why it may be there; what is missing.',
      )
      .argument('<LOG...>', 'firmware log, canonical log, userspace log; several are one boot, in this order')
      .requiredOption(
        '--manifest <file>',
        'signed manifest of an image that may have booted; may be repeated',
        collect<string>,
      )
      .option('--key <file>', 'public key that manifests must be signed by; may be repeated', collect<string>)
      .addOption(
        new Option('--secure-boot <state>', 'as the machine had it (default: what fits best)').choices(['on', 'off']),
      )
      .addOption(new Option('--bank <name>', 'bank of PCRs').choices(['sha1', 'sha256', 'sha384', 'sha512']))
      .option('--all', "events of the machine's own PCRs too")
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        "\nThe exit status is 1 when something is unexpected or missing. A log is anybody's word until a quote vouches for it.\n\nExample:\n  vouchsafe log explain boot.log --manifest edge.manifest.json --key manifest.pub",
      )
      .action((paths: readonly string[], options: ExplainOptions) => run(session, paths, options));
  },
};

function run(session: Session, paths: readonly string[], options: ExplainOptions): void {
  const { key = [], secureBoot, bank } = options;
  const manifests = options.manifest.map((path) => readManifestFile(session, path, key));
  const events = paths.flatMap((path) => readLog(path, [], (text) => session.note(text)).log.events);
  const condition: Partial<BootCondition> = secureBoot === undefined ? {} : { secureBoot };
  const explained = explainLog(events, {
    manifests: manifests.map(({ manifest }) => manifest),
    condition,
    ...(bank === undefined ? {} : { bank }),
  });
  const isVerified = manifests.find(({ manifest }) => manifest === explained.manifest)?.isVerified ?? false;
  if (!explained.isAsExpected) session.exitCode = EXIT.no;
  session.answer(printable(explanationText(explained, options.all === true)), documentOf(explained, isVerified));
}

const MARKS = { expected: '  ', machine: '  ', unexpected: '! ', missing: '- ' } as const;

function explanationText(explained: LogExplanation, isAll: boolean): string {
  const { manifest, boot, events, bank } = explained;
  const count = (judgement: ExplainedEvent['judgement']): number =>
    events.filter((event) => event.judgement === judgement).length;
  const shown = events.filter(({ judgement }) => isAll || judgement !== 'machine');
  const summary = [
    `${count('expected')} expected`,
    `${count('machine')} of the machine`,
    `${count('unexpected')} unexpected`,
    `${count('missing')} missing`,
  ];
  const verdict = explained.isAsExpected
    ? `as ${manifest.name} ${manifest.version} boots with ${conditionText(boot.condition)}`
    : `nearest to ${manifest.name} ${manifest.version} with ${conditionText(boot.condition)}`;
  return [...shown.map((event) => lineOf(event, bank)), '', `${verdict}: ${summary.join(', ')}`].join('\n');
}

function lineOf({ pcr, event, judgement, predicted, reason }: ExplainedEvent, bank: Bank): string {
  const digest = event === undefined ? predicted?.digests.get(bank) : digestOf(event, bank);
  const start = `${MARKS[judgement]}PCR ${String(pcr).padStart(2)} ${(digest === undefined ? '-' : toHex(digest).slice(0, 16)).padEnd(16)}`;
  const from = predicted === undefined ? '' : `${predicted.description}, from ${originText(predicted.origin)}`;
  switch (judgement) {
    case 'expected':
      return `${start}  expected: ${from}`;
    case 'machine':
      return `${start}  from the machine: ${String(event?.type)}`;
    case 'unexpected':
      return `${start}  unexpected: ${reason?.text ?? ''} (${String(event?.type)})`;
    case 'missing':
      return `${start}  missing: ${from}; ${reason?.text ?? ''}`;
  }
}

function documentOf(explained: LogExplanation, isVerified: boolean) {
  const { manifest, boot, bank, events, isAsExpected } = explained;
  return {
    isAsExpected,
    manifest: { name: manifest.name, version: manifest.version, isVerified },
    condition: boot.condition,
    bank,
    events: events.map(({ pcr, event, judgement, predicted, reason }) => {
      const digest = event === undefined ? predicted?.digests.get(bank) : digestOf(event, bank);
      return {
        pcr,
        judgement,
        ...(event === undefined || !isPcrEvent(event)
          ? {}
          : { event: event.index, source: event.source, offset: event.offset, type: event.type }),
        ...(digest === undefined ? {} : { digest: toHex(digest) }),
        ...(predicted === undefined ? {} : { description: predicted.description, from: predicted.origin }),
        ...(reason === undefined ? {} : { reason }),
      };
    }),
  };
}
