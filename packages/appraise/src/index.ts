// SPDX-License-Identifier: Apache-2.0
export { appraiseBoot, type BootEvidence } from './appraise-boot.ts';
export type { BootReference } from './check-reference.ts';
export { learnFirmware } from './learn-firmware.ts';
export type { AppraisalFinding, AppraisalFindingCode, JudgedEvent, Verdict, VerdictStatus } from './verdict.ts';
