// SPDX-License-Identifier: Apache-2.0
export { MeasureError, type MeasureErrorCode } from './error.ts';
export type { EspFolders } from './esp-folders.ts';
export {
  predictBootAttempt,
  predictPartitionTable,
  predictSecureBoot,
  type SecureBootState,
} from './firmware-events.ts';
export { measuredSections } from './measured-sections.ts';
export { type Pcr11Request, type Pcr11Value, predictPcr11 } from './pcr11.ts';
export {
  checkPcrSignatures,
  type PcrSignatureExpectation,
  type PcrSignatureFindingCode,
  type PcrSignatureReport,
} from './pcrsig/check.ts';
export { parsePcrSignatures } from './pcrsig/parse.ts';
export { formatPcrSignatures, type PcrSignature, pcrKeyFingerprint, pcrPolicyOf } from './pcrsig/pcr-signature.ts';
export { signPcrPolicies } from './pcrsig/sign.ts';
export { DEFAULT_PHASES, parsePhasePath, predictPhases } from './phases.ts';
export type { SectionChoice } from './selected-sections.ts';
export { predictUki, UKI_PCRS, type UkiStart } from './uki-events.ts';
