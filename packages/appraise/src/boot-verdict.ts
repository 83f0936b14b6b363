// SPDX-License-Identifier: Apache-2.0
import type { PredictedEvent } from '@vouchsafe/manifest';
import { type AppraisalFinding, boundedFindings } from './finding.ts';
import type { VerdictStatus } from './status.ts';

/** One event of the boot, and what became of it. */
export interface JudgedEvent {
  readonly pcr: number;
  /** Place in the log; undefined for one that is missing. */
  readonly event: number | undefined;
  /** 'machine': it belongs to the firmware and its settings, and needs a baseline of the machine's model. */
  readonly judgement: 'expected' | 'machine' | 'unexpected' | 'missing';
  readonly predicted: PredictedEvent | undefined;
}

/** The outcome of an appraisal. Affirming needs every check to have held; whatever is unknown is not affirming. */
export interface BootVerdict {
  readonly status: VerdictStatus;
  /** The gravest first where there are more than are listed. */
  readonly findings: readonly AppraisalFinding[];
  /** By PCR, each in the order of the log; empty when the log could not be believed. */
  readonly events: readonly JudgedEvent[];
}

/** The one place where a status is given: it follows from all of the findings, listed or not. */
export function verdictOf(findings: readonly AppraisalFinding[], events: readonly JudgedEvent[]): BootVerdict {
  const has = (severity: AppraisalFinding['severity']): boolean =>
    findings.some((finding) => finding.severity === severity);
  const status = has('error') ? 'contraindicated' : has('warning') ? 'warning' : 'affirming';
  return { status, findings: boundedFindings(findings), events };
}
