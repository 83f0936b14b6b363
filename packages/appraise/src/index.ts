// SPDX-License-Identifier: Apache-2.0
export { appraiseBoot, type BootEvidence, type BootReference } from './appraise-boot.ts';
export type { AppraisalFindingCode, JudgedEvent, Verdict } from './verdict.ts';
