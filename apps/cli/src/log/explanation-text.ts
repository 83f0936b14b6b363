// SPDX-License-Identifier: Apache-2.0
import type { ExplainedEvent, LogExplanation } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { digestOf, isPcrEvent } from '@vouchsafe/eventlog';
import { type Bank, conditionText } from '@vouchsafe/manifest';
import { originText } from '../pcr/prediction-text.ts';

const MARKS = { expected: '  ', machine: '  ', unexpected: '! ', missing: '- ' } as const;

/** Each event that the image decides, or with `isAll` each; then the whole in one line. */
export function explanationText(explained: LogExplanation, isAll: boolean): string {
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
  return [...shown.map((event) => explainedLine(event, bank)), '', `${verdict}: ${summary.join(', ')}`].join('\n');
}

/** One event: what it is put down to. */
export function explainedLine({ pcr, event, judgement, predicted, reason }: ExplainedEvent, bank: Bank): string {
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

export function explanationDocument(explained: LogExplanation, isVerified: boolean) {
  const { manifest, boot, bank, events, isAsExpected } = explained;
  return {
    isAsExpected,
    manifest: { name: manifest.name, version: manifest.version, isVerified },
    condition: boot.condition,
    bank,
    events: events.map((event) => explainedDocument(event, bank)),
  };
}

export function explainedDocument({ pcr, event, judgement, predicted, reason }: ExplainedEvent, bank: Bank) {
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
}
