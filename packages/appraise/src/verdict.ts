// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { LogFindingCode } from '@vouchsafe/eventlog';
import type { PredictedEvent } from '@vouchsafe/manifest';
import type { QuoteFindingCode } from '@vouchsafe/tpm';

export type AppraisalFindingCode =
  | QuoteFindingCode
  | LogFindingCode
  | 'evidence_limit' // more of something than any machine has
  | 'log_malformed' // the boot log is not one
  | 'reference_empty' // the reference predicts nothing, so that nothing could be matched
  | 'reference_bank' // the reference is of a bank in which digests can be forged
  | 'reference_pcr' // the reference predicts an event in a PCR that no static boot decides
  | 'pcr_unquoted' // a PCR whose events would be believed is not under the quote
  | 'event_unexpected' // something was measured that the image does not put there
  | 'event_after_exit' // the same, and the log itself says that the firmware was gone by then
  | 'event_missing' // something that the image puts there was not measured
  | 'pcr_unpredicted' // a PCR that should be untouched has a value
  | 'firmware_unknown' // there is no baseline for a PCR of the firmware
  | 'ima_unappraised' // PCR 10 holds more than the kernel's first entry
  | 'findings_left_out'; // there are more findings than are listed

export type AppraisalFinding = Finding<AppraisalFindingCode>;

/** One event of the boot, and what became of it. */
export interface JudgedEvent {
  readonly pcr: number;
  /** Place in the log; undefined for one that is missing. */
  readonly event: number | undefined;
  /** 'machine': it belongs to the firmware and its settings, and needs a baseline of the machine's model. */
  readonly judgement: 'expected' | 'machine' | 'unexpected' | 'missing';
  readonly predicted: PredictedEvent | undefined;
}

/**
 * The tiers of draft-ietf-rats-ar4si that a boot can have. 'affirming': every PCR was accounted for. 'warning': every check
 * held, but something is there for which there is no reference, such as the firmware. 'contraindicated': a check failed.
 */
export type VerdictStatus = 'affirming' | 'warning' | 'contraindicated';

/** The outcome of an appraisal. Affirming needs every check to have held; whatever is unknown is not affirming. */
export interface Verdict {
  readonly status: VerdictStatus;
  /** The gravest first where there are more than are listed. */
  readonly findings: readonly AppraisalFinding[];
  /** By PCR, each in the order of the log; empty when the log could not be believed. */
  readonly events: readonly JudgedEvent[];
}

/** Findings that a verdict lists. A log of 16,384 events can give one or more for each. */
const MAX_FINDINGS = 256;

const GRAVITY = { error: 0, warning: 1, info: 2 } as const;

/** The one place where a status is given: it follows from all of the findings, listed or not. */
export function verdictOf(findings: readonly AppraisalFinding[], events: readonly JudgedEvent[]): Verdict {
  const has = (severity: keyof typeof GRAVITY): boolean => findings.some((finding) => finding.severity === severity);
  const status = has('error') ? 'contraindicated' : has('warning') ? 'warning' : 'affirming';
  return { status, findings: bounded(findings), events };
}

function bounded(findings: readonly AppraisalFinding[]): readonly AppraisalFinding[] {
  if (findings.length <= MAX_FINDINGS) return findings;
  // A flood of harmless ones must not push out the one that counts; the sort is stable.
  const listed = findings.toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]).slice(0, MAX_FINDINGS);
  const leftOut: AppraisalFinding = {
    code: 'findings_left_out',
    severity: 'warning',
    where: { artefact: 'verdict' },
    expected: `at most ${MAX_FINDINGS} findings`,
    actual: String(findings.length),
    hint: 'Mend what is listed first; the rest follows from it, or the log was made to hide something',
  };
  return [...listed, leftOut];
}
