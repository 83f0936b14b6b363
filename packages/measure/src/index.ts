// SPDX-License-Identifier: Apache-2.0

export {
  type BootArtefacts,
  type BootCircumstances,
  type BootPrediction,
  predictBoot,
  type UnpredictedPcr,
} from './boot-events.ts';
export { predictBootVariables } from './boot-variables.ts';
export { MeasureError, type MeasureErrorCode } from './error.ts';
export type { EspFolders } from './esp-folders.ts';
export { predictBootAttempt, predictPartitionTable } from './firmware-events.ts';
export { measuredSections } from './measured-sections.ts';
export { type Pcr11Request, type Pcr11Value, predictPcr11 } from './pcr11.ts';
export { formatPcrlock, type PcrlockComponent, pcrlockComponents } from './pcrlock/components.ts';
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
export { SectionDigests } from './section-digests.ts';
export { type FirmwareVariable, predictSecureBoot, type SecureBootState } from './secure-boot-events.ts';
export type { SectionChoice } from './selected-sections.ts';
export { isShim, openShim, SHIM_LOCK, type ShimFile } from './shim-file.ts';
export { isSystemdBoot, isUki } from './stub.ts';
export { type HandedFile, stubFiles } from './stub-files.ts';
export { predictUki, UKI_PCRS, type UkiStart } from './uki-events.ts';
export {
  type FileSystemIdentity,
  type MachineIdentity,
  predictFileSystem,
  predictIdentity,
  predictMachineId,
  predictVolumeKey,
} from './userspace-events.ts';
