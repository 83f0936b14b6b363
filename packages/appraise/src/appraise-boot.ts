// SPDX-License-Identifier: Apache-2.0
import {
  checkEventData,
  checkReplay,
  checkSeparators,
  decodeTcgLog,
  EventLogError,
  replayTcgLog,
  type TcgLog,
} from '@vouchsafe/eventlog';
import { checkQuote, type QuoteEvidence, type QuoteExpectation } from '@vouchsafe/tpm';
import { type BootVerdict, verdictOf } from './boot-verdict.ts';
import { type BootReference, checkReference } from './check-reference.ts';
import { checkUntouched } from './check-untouched.ts';
import type { AppraisalFinding } from './finding.ts';
import { checkJudged, judgeEvents } from './judge-events.ts';

/** What a machine sends. All of it is untrusted. */
export interface BootEvidence {
  readonly quote: QuoteEvidence;
  /** The firmware's log, as the kernel gives it. */
  readonly firmwareLog: Uint8Array;
}

/** PCR values in one list: every PCR of every bank that a TPM could have. */
const MAX_PCR_VALUES = 16 * 32;

/**
 * Appraises one boot against one image: the quote holds and covers every PCR that a boot decides, the log replays to what
 * was quoted, and every event of the PCRs that the image decides is one that the image causes, none missing and none
 * besides. Pure and total: whatever is sent, a verdict comes back, and what is unknown is not affirming.
 * @throws {TpmError} 'argument_invalid' for an expectation that anything would meet: a mistake of the verifier.
 */
export function appraiseBoot(
  evidence: BootEvidence,
  expected: QuoteExpectation,
  reference: BootReference,
): BootVerdict {
  if (evidence.quote.pcrs.length > MAX_PCR_VALUES) return verdictOf([tooManyValues(evidence.quote)], []);
  const outcome = checkQuote(evidence.quote, expected);
  if (!outcome.isGood) return verdictOf(outcome.findings, []);
  const { quote } = outcome;
  const unfit = checkReference(reference, quote.selection);
  if (unfit.length > 0) return verdictOf(unfit, []);
  let log: TcgLog;
  try {
    log = decodeTcgLog(evidence.firmwareLog);
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    return verdictOf([logMalformed(error)], []);
  }
  const { bank } = reference;
  const replay = replayTcgLog(log, { banks: quote.selection.map((selected) => selected.bank) });
  const findings: AppraisalFinding[] = [
    ...replay.findings,
    ...checkReplay(replay, quote),
    ...checkSeparators(log),
    ...checkEventData(log, bank),
  ];
  // A log that does not replay to the quote says nothing: its events are not looked at.
  if (findings.some(({ severity }) => severity === 'error')) return verdictOf(findings, []);
  const events = judgeEvents(log, bank, reference.events);
  findings.push(...checkJudged(events, log, bank), ...checkUntouched(quote, log, replay));
  return verdictOf(findings, events);
}

function tooManyValues({ pcrs }: QuoteEvidence): AppraisalFinding {
  return {
    code: 'evidence_limit',
    severity: 'error',
    where: { artefact: 'quote' },
    expected: `at most ${MAX_PCR_VALUES} PCR values`,
    actual: String(pcrs.length),
    hint: 'Send one value for each quoted PCR',
  };
}

function logMalformed(error: EventLogError): AppraisalFinding {
  return {
    code: 'log_malformed',
    severity: 'error',
    where: { artefact: 'event log' },
    actual: error.message,
    hint: 'The boot log cannot be read; send it as the kernel gives it',
  };
}
