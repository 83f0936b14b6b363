// SPDX-License-Identifier: Apache-2.0
export type { AppraisalInput } from './appraisal-input.ts';
export { appraise, wantedImaOffset } from './appraise.ts';
export { appraiseBoot, type BootEvidence } from './appraise-boot.ts';
export { type BootedImage, type BootState, clearFailure, type ImaState, type SettledBoot } from './boot-state.ts';
export type { BootVerdict, JudgedEvent } from './boot-verdict.ts';
export { type EvidenceBundle, encodeBundle, inputOf, parseBundle } from './bundle/bundle.ts';
export type { BootReference } from './check-reference.ts';
export { type EarAppraisal, type EarClaims, type EarOptions, earClaimsOf, type VerifierId } from './ear/claims.ts';
export type { TrustVector } from './ear/trust-vector.ts';
export { AppraiseError, type AppraiseErrorCode } from './error.ts';
export type { Evidence, FirmwareLogEvidence, ImaEvidence } from './evidence.ts';
export type { EventReason, EventReasonCode } from './explain/event-reason.ts';
export { type ExplainedEvent, type ExplainRequest, explainLog, type LogExplanation } from './explain/explain-log.ts';
export {
  type ChangedPcr,
  type ChangeEvidence,
  explainPcrChanges,
  type PcrChange,
  sealedValuesIn,
} from './explain/explain-pcr-change.ts';
export { type ClockSince, type Facts, type IdentityFacts, UNKNOWN_IDENTITY } from './facts.ts';
export type { AppraisalFinding, AppraisalFindingCode } from './finding.ts';
export type { PinnedSystem } from './layers/system.ts';
export { learnFirmware } from './learn-firmware.ts';
export { decide } from './policy/decide.ts';
export type { CedarEngine } from './policy/engine.ts';
export { type PreparedPolicy, preparePolicy } from './policy/prepare-policy.ts';
export type { DecisionCache, PolicyDecision, PolicyQuestion, UnmetCondition } from './policy/question.ts';
export { POLICY_SCHEMA } from './policy/schema.ts';
export { STRICT_POLICY } from './policy/strict-policy.ts';
export type { BaselineEvent, FirmwareBaseline, LaunchBaseline } from './references/baseline.ts';
export { compareVersions } from './references/compare-versions.ts';
export { learnBaseline } from './references/learn-baseline.ts';
export { lifeAt, type ManifestLife } from './references/life.ts';
export { baselineFromLog } from './references/log-baseline.ts';
export { baselineFromPcrlock, type PcrlockVariants } from './references/pcrlock-baseline.ts';
export { prepareReferences } from './references/prepare.ts';
export type {
  ImageReference,
  PreparedReferences,
  ReferenceSet,
  Revocations,
  UsedReference,
} from './references/reference-set.ts';
export type { VerdictStatus } from './status.ts';
export type { AppraisedEvent, Verdict } from './verdict.ts';
