// SPDX-License-Identifier: Apache-2.0
export { appraiseBoot, type BootEvidence } from './appraise-boot.ts';
export type { BootReference } from './check-reference.ts';
export { AppraiseError, type AppraiseErrorCode } from './error.ts';
export type { EventReason, EventReasonCode } from './explain/event-reason.ts';
export { type ExplainedEvent, type ExplainRequest, explainLog, type LogExplanation } from './explain/explain-log.ts';
export {
  type ChangedPcr,
  type ChangeEvidence,
  explainPcrChanges,
  type PcrChange,
  sealedValuesIn,
} from './explain/explain-pcr-change.ts';
export { learnFirmware } from './learn-firmware.ts';
export type { AppraisalFinding, AppraisalFindingCode, JudgedEvent, Verdict, VerdictStatus } from './verdict.ts';
