// SPDX-License-Identifier: Apache-2.0
export { LabError, type LabErrorCode } from './error.ts';
export { type AgentImageRequest, writeAgentRecipe } from './images/agent-image.ts';
export { debianCloudKernel, debianKernelPackage, debianShim, type UnpackedKernel } from './images/debian-packages.ts';
export { debianSystem, systemRoot, writeSystemOverlay } from './images/debian-system.ts';
export { writeFirstImage } from './images/first-image.ts';
export { guestRoot } from './images/guest-root.ts';
export { buildLabImage, type LabImage, readVariableStore, writeLabDisk, writeLabDiskWith } from './images/lab-image.ts';
export { buildLabUki, type LabUkiInputs } from './images/lab-uki.ts';
export { buildRecipeImage, type RecipeImage, type RecipeMembers, writeGuestRoot } from './images/recipe-image.ts';
export { writeRecipeRoot } from './images/recipe-root.ts';
export { runVouchsafe } from './images/vouchsafe-command.ts';
export { findAccelerator } from './machine/accelerator.ts';
export { bootKernel, type KernelBootRequest } from './machine/boot-kernel.ts';
export { FIRMWARE_CODE, FIRMWARE_VARIABLES, STUB } from './machine/firmware.ts';
export { type BootResult, bootDisk, Machine } from './machine/machine.ts';
export {
  type Accelerator,
  GUEST_ADDRESS,
  HOST_ADDRESS,
  type MachineRequest,
  type MachineShape,
  type NetworkRequest,
  SMALL_MACHINE,
} from './machine/machine-request.ts';
export { isSecureBootOn, machineVariables } from './machine/machine-variables.ts';
export { type ManufacturedTpm, manufactureTpm } from './machine/manufacture-tpm.ts';
export { type BootOutcome, type BootStage, stageOf } from './machine/outcome.ts';
export { RESULTS_PORT } from './machine/results.ts';
export {
  expectationOf,
  TAMPER_CASE_NAMES,
  TAMPER_CASES,
  type TamperCaseName,
  tamperedCopy,
  tamperOrders,
} from './tamper/cases.ts';
export { type GuestReport, guestReport, judgeTampering, type TamperVerdict, unloggedPcrs } from './tamper/judge.ts';
export type { Expectation, SecureBoot, TamperCase, TamperInputs } from './tamper/tamper-case.ts';
