// SPDX-License-Identifier: Apache-2.0
import { type Finding, toHex } from '@vouchsafe/base';
import {
  type BootEvent,
  checkReplay,
  checkSeparators,
  decodeTcgLog,
  digestOf,
  EventLogError,
  replayTcgLog,
  type TcgLog,
} from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { checkQuote, type QuoteEvidence, type QuoteExpectation, type VerifiedQuote } from '@vouchsafe/tpm';
import { digestText, matchEvents } from './match-events.ts';
import type { AppraisalFindingCode, JudgedEvent, Verdict } from './verdict.ts';

/** What a machine sends. All of it is untrusted. */
export interface BootEvidence {
  readonly quote: QuoteEvidence;
  /** The firmware's log, as the kernel gives it. */
  readonly firmwareLog: Uint8Array;
}

/** What the verifier knows of an image on this kind of machine. */
export interface BootReference {
  readonly bank: Bank;
  /** In the order in which each PCR is extended. */
  readonly events: readonly PredictedEvent[];
}

/** PCRs of the machine: firmware, its settings, option ROMs. They need a baseline, which is not part of an image. */
const MACHINE_PCRS: ReadonlySet<number> = new Set([0, 1, 2, 3, 6]);
/** Extended by the kernel's IMA, whose list is appraised apart. */
const IMA_PCR = 10;
const LAST_STATIC_PCR = 15;

type AppraisalFinding = Finding<AppraisalFindingCode>;

/**
 * Appraises one boot against one image: the quote holds, the log replays to what was quoted, and every event of the PCRs that
 * the image decides is one that the image causes, none missing and none besides. Pure and total: whatever is sent, a verdict
 * comes back, and what is unknown is not affirming.
 * @throws {TpmError} 'argument_invalid' for an expectation that anything would meet: a mistake of the verifier.
 */
export function appraiseBoot(evidence: BootEvidence, expected: QuoteExpectation, reference: BootReference): Verdict {
  const outcome = checkQuote(evidence.quote, expected);
  if (!outcome.isGood) return contraindicated(outcome.findings);
  let log: TcgLog;
  try {
    log = decodeTcgLog(evidence.firmwareLog);
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    return contraindicated([logMalformed(error)]);
  }
  const { bank } = reference;
  const replay = replayTcgLog(log, { banks: [bank] });
  const findings: AppraisalFinding[] = [
    ...replay.findings,
    ...checkReplay(replay, outcome.quote),
    ...checkSeparators(log, bank),
  ];
  // A log that does not replay to the quote says nothing: its events are not looked at.
  if (findings.some(({ severity }) => severity === 'error')) return contraindicated(findings);
  const events = judgeEvents(log, reference);
  findings.push(
    ...events.flatMap((event) => findingOf(event, log, bank)),
    ...unpredictedPcrs(outcome.quote, log, bank),
  );
  const isGood = findings.every(({ severity }) => severity !== 'error');
  return { status: isGood ? 'affirming' : 'contraindicated', findings, events };
}

function contraindicated(findings: readonly AppraisalFinding[]): Verdict {
  return { status: 'contraindicated', findings, events: [] };
}

function judgeEvents(log: TcgLog, { bank, events }: BootReference): JudgedEvent[] {
  const judged: JudgedEvent[] = [];
  for (let pcr = 0; pcr <= LAST_STATIC_PCR; pcr++) {
    const real = log.events.filter((event) => event.pcr === pcr && event.type !== 'EV_NO_ACTION');
    const predicted = events.filter((event) => event.pcr === pcr);
    if (MACHINE_PCRS.has(pcr) && predicted.length === 0) {
      judged.push(
        ...real.map(({ index }): JudgedEvent => ({ pcr, event: index, judgement: 'machine', predicted: undefined })),
      );
    } else {
      judged.push(...matchEvents(bank, real, predicted));
    }
  }
  return judged;
}

function findingOf({ pcr, event, judgement, predicted }: JudgedEvent, log: TcgLog, bank: Bank): AppraisalFinding[] {
  if (judgement === 'missing' && predicted !== undefined) {
    return [
      {
        code: 'event_missing',
        severity: 'error',
        where: { artefact: predicted.origin.artefact, pcr, bank, ...sectionPath(predicted) },
        expected: digestText(predicted, bank),
        hint: `The image puts ${predicted.description} into PCR ${pcr}; this boot did not. Another image was booted, or a part of it replaced.`,
      },
    ];
  }
  if (judgement !== 'unexpected' || event === undefined) return [];
  const real = log.events[event] as BootEvent;
  return [
    {
      code: 'event_unexpected',
      severity: 'error',
      where: { artefact: 'event log', pcr, bank, event, offset: real.offset },
      actual: toHex(digestOf(real, bank) ?? new Uint8Array(0)),
      hint: `Event ${event} (${String(real.type)}) put something into PCR ${pcr} that this image does not put there.`,
    },
  ];
}

const sectionPath = ({ origin }: PredictedEvent): { path?: string } =>
  origin.section === undefined ? {} : { path: origin.section };

/** PCRs that neither the log nor the image touches must be as they are after a reset: somebody may extend them later. */
function unpredictedPcrs(quote: VerifiedQuote, log: TcgLog, bank: Bank): AppraisalFinding[] {
  return quote.pcrs
    .filter((quoted) => quoted.bank === bank && quoted.pcr <= LAST_STATIC_PCR && quoted.pcr !== IMA_PCR)
    .filter(({ pcr }) => !log.events.some((event) => event.pcr === pcr && event.type !== 'EV_NO_ACTION'))
    .filter(({ value }) => value.some((octet) => octet !== 0))
    .map(({ pcr, value }) => ({
      code: 'pcr_unpredicted',
      severity: 'error',
      where: { artefact: 'quote', pcr, bank },
      actual: toHex(value),
      hint: `PCR ${pcr} was extended, and no log says with what.`,
    }));
}

function logMalformed(error: EventLogError): AppraisalFinding {
  return {
    code: 'log_malformed',
    severity: 'error',
    where: { artefact: 'event log' },
    actual: error.message,
    hint: 'The boot log cannot be read; send it as the kernel gives it.',
  };
}
