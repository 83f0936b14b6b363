// SPDX-License-Identifier: Apache-2.0
export {
  type BootOutcome,
  type BootRequest,
  type BootResult,
  bootDisk,
  FIRMWARE_CODE,
  FIRMWARE_VARIABLES,
} from './boot.ts';
export { bootKernel, type KernelBootRequest } from './boot-kernel.ts';
export { debianCloudKernel, debianShim, type UnpackedKernel } from './debian-packages.ts';
export { LabError, type LabErrorCode } from './error.ts';
export { guestRoot } from './guest-root.ts';
export { buildLabImage, type LabImage, readVariableStore, writeLabDisk, writeLabDiskWith } from './lab-image.ts';
export { buildLabUki, type LabUkiInputs, STUB } from './lab-uki.ts';
export { type MachineShape, RESULTS_PORT, SMALL_MACHINE } from './qemu-arguments.ts';
export { runVouchsafe } from './vouchsafe-command.ts';
