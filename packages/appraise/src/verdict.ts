// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { LogFindingCode } from '@vouchsafe/eventlog';
import type { PredictedEvent } from '@vouchsafe/manifest';
import type { QuoteFindingCode } from '@vouchsafe/tpm';

export type AppraisalFindingCode =
  | QuoteFindingCode
  | LogFindingCode
  | 'log_malformed' // the boot log is not one
  | 'event_unexpected' // something was measured that the image does not put there
  | 'event_missing' // something that the image puts there was not measured
  | 'pcr_unpredicted'; // a PCR that should be untouched has a value

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
export interface Verdict {
  readonly status: 'affirming' | 'contraindicated';
  readonly findings: readonly Finding<AppraisalFindingCode>[];
  /** In the order of the log; empty when the log could not be believed. */
  readonly events: readonly JudgedEvent[];
}
