// SPDX-License-Identifier: Apache-2.0

/** OVMF as Debian's package `ovmf` has it. Without SMM it enforces Secure Boot too, once its variables hold keys. */
export const FIRMWARE_CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
/** Its variable store with no keys: Secure Boot is off. */
export const FIRMWARE_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';
/** systemd's stub, as `systemd-boot-efi` has it. */
export const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
