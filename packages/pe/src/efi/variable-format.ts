// SPDX-License-Identifier: Apache-2.0
import { bytes, constant, guid, type Infer, struct, u8, u16le, u32le, u64le, zeros } from '@vouchsafe/codec';

/** EFI_FIRMWARE_VOLUME_HEADER up to the block map, 56 octets. UEFI PI 1.8, volume 3, 3.2.1. */
export const efiFirmwareVolumeHeader = struct('EFI_FIRMWARE_VOLUME_HEADER', {
  zeroVector: bytes(16),
  fileSystemGuid: constant(guid, 'fff12b8d-7696-4c8b-a985-2747075b4f50'),
  fvLength: [u64le, 'octets of the volume, this header included'],
  signature: [constant(u32le, 0x4856_465f), '_FVH'],
  attributes: u32le,
  headerLength: [u16le, 'octets with the block map'],
  checksum: u16le,
  extHeaderOffset: u16le,
  reserved: u8,
  revision: u8,
});
export const FIRMWARE_VOLUME_HEADER_BYTES = 56;

/** VARIABLE_STORE_HEADER, 28 octets. EDK II, MdeModulePkg/Include/Guid/VariableFormat.h. */
export const variableStoreHeader = struct('VARIABLE_STORE_HEADER', {
  signature: [constant(guid, 'aaf32c78-947b-439a-a180-2e144ec37792'), 'gEfiAuthenticatedVariableGuid'],
  size: [u32le, 'octets of the store, this header included'],
  format: [constant(u8, 0x5a), 'VARIABLE_STORE_FORMATTED'],
  state: [constant(u8, 0xfe), 'VARIABLE_STORE_HEALTHY'],
  reserved: zeros(2),
  reserved1: zeros(4),
});
export const VARIABLE_STORE_HEADER_BYTES = 28;

/** AUTHENTICATED_VARIABLE_HEADER, 60 octets before name and data. EDK II, VariableFormat.h. */
export const authenticatedVariableHeader = struct('AUTHENTICATED_VARIABLE_HEADER', {
  startId: [constant(u16le, 0x55aa), 'VARIABLE_DATA'],
  state: [u8, 'bits that were cleared, as in flash'],
  reserved: u8,
  attributes: u32le,
  monotonicCount: u64le,
  timeStamp: [bytes(16), 'EFI_TIME of the last signed write'],
  pubKeyIndex: u32le,
  nameSize: [u32le, 'octets with the NUL'],
  dataSize: u32le,
  vendorGuid: guid,
});
export const VARIABLE_HEADER_BYTES = 60;
export const VARIABLE_ALIGNMENT = 4;
export const VARIABLE_START_ID = 0x55aa;

/** State of a variable: VAR_ADDED, and with VAR_IN_DELETED_TRANSITION or VAR_DELETED cleared in. EDK II, VariableFormat.h. */
export const VARIABLE_STATE = { added: 0x3f, inDeletedTransition: 0xfe, deleted: 0xfd } as const;

/**
 * True for the header of a write that was cut short: one of its fields is still erased. Firmware counts the header alone
 * (EDK II, MdeModulePkg/Universal/Variable/RuntimeDxe, VariableParsing.c, NameSizeOfVariable and DataSizeOfVariable).
 */
export function isHeaderUnfinished(header: Infer<typeof authenticatedVariableHeader>): boolean {
  const { state, attributes, nameSize, dataSize } = header;
  return state === 0xff || [attributes, nameSize, dataSize].includes(0xffff_ffff);
}

/** True once name and data were written: VAR_ADDED is 0x3f, and a header by itself has 0x7f. */
export function wasAdded(state: number): boolean {
  return (state & ~VARIABLE_STATE.added & 0xff) === 0;
}
