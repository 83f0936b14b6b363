// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import {
  bytes,
  type Codec,
  checked,
  constant,
  guid,
  type Infer,
  listOf,
  mapped,
  rest,
  sized,
  sizedOf,
  struct,
  u8,
  u32le,
  u64le,
  utf16le,
  utf16leCell,
} from '@vouchsafe/codec';

/** Octets of a variable's name at most; the longest known ones have below 100. */
const MAX_NAME_BYTES = 2048;
/** Octets of any field of event data; the event itself has a limit too. */
const MAX_FIELD_BYTES = 4 * 1024 * 1024;
/** Entries of a partition table in one event; disks have 128. */
const MAX_PARTITIONS = 256;

/** A count of CHAR16 as a number of octets. */
const char16Count: Codec<bigint> = mapped(
  'u64le, of CHAR16',
  u64le,
  (count) => count * 2n,
  (octets) => octets / 2n,
);

/**
 * None by the Profile. Old releases of shim log some octets of their own memory after the structure, and measure all but
 * the last of them.
 */
const strayOctets = checked(rest, (octets) => octets.length <= 16, 'at most 16 octets after the structure');

/** UEFI_VARIABLE_DATA. TCG PC Client Platform Firmware Profile 1.06, section 10.2.6. */
export const uefiVariableData = struct('UEFI_VARIABLE_DATA', {
  variableName: [guid, 'vendor GUID'],
  unicodeNameBytes: [char16Count, 'octets of unicodeName; CHAR16 on the wire'],
  variableDataLength: [u64le, 'octets'],
  unicodeName: [sizedOf('unicodeNameBytes', utf16le(rest), MAX_NAME_BYTES), 'without a NUL'],
  variableData: sizedOf('variableDataLength', rest, MAX_FIELD_BYTES),
  stray: strayOctets,
});
export type UefiVariableData = Infer<typeof uefiVariableData>;

/** UEFI_IMAGE_LOAD_EVENT. Profile 1.06, section 10.2.3. The digest is of the image: none of this is measured. */
export const uefiImageLoadEvent = struct('UEFI_IMAGE_LOAD_EVENT', {
  imageLocationInMemory: u64le,
  imageLengthInMemory: [u64le, 'octets'],
  imageLinkTimeAddress: u64le,
  lengthOfDevicePath: [u64le, 'octets'],
  devicePath: [sizedOf('lengthOfDevicePath', rest, MAX_FIELD_BYTES), 'EFI_DEVICE_PATH_PROTOCOL nodes'],
  stray: strayOctets,
});
export type UefiImageLoadEvent = Infer<typeof uefiImageLoadEvent>;

/** UEFI_PLATFORM_FIRMWARE_BLOB. Profile 1.06, section 10.2.5. */
export const uefiPlatformFirmwareBlob = struct('UEFI_PLATFORM_FIRMWARE_BLOB', {
  blobBase: u64le,
  blobLength: [u64le, 'octets'],
});

/** UEFI_PLATFORM_FIRMWARE_BLOB2. Profile 1.06, section 10.2.5. */
export const uefiPlatformFirmwareBlob2 = struct('UEFI_PLATFORM_FIRMWARE_BLOB2', {
  blobDescription: sized(u8, rest, 255),
  blobBase: u64le,
  blobLength: [u64le, 'octets'],
});

/** EFI_PARTITION_TABLE_HEADER, 92 octets. UEFI 2.10, section 5.3.2. */
const efiPartitionTableHeader = struct('EFI_PARTITION_TABLE_HEADER', {
  signature: constant(bytes(8), ascii('EFI PART')),
  revision: u32le,
  headerSize: [constant(u32le, 92), 'octets; a larger one is not what firmware measures'],
  headerCrc32: u32le,
  reserved: u32le,
  myLba: u64le,
  alternateLba: u64le,
  firstUsableLba: u64le,
  lastUsableLba: u64le,
  diskGuid: guid,
  partitionEntryLba: u64le,
  numberOfPartitionEntries: u32le,
  sizeOfPartitionEntry: [constant(u32le, 128), 'octets'],
  partitionEntryArrayCrc32: u32le,
});

/** EFI_PARTITION_ENTRY. UEFI 2.10, section 5.3.3. */
const efiPartitionEntry = struct('EFI_PARTITION_ENTRY', {
  partitionTypeGuid: guid,
  uniquePartitionGuid: guid,
  startingLba: u64le,
  endingLba: u64le,
  attributes: u64le,
  partitionName: utf16leCell(36),
});

/** UEFI_GPT_DATA. Profile 1.06, section 10.2. */
export const uefiGptData = struct('UEFI_GPT_DATA', {
  efiPartitionHeader: efiPartitionTableHeader,
  numberOfPartitions: [u64le, 'entries in use'],
  partitions: listOf('numberOfPartitions', efiPartitionEntry, MAX_PARTITIONS),
});
export type UefiGptData = Infer<typeof uefiGptData>;

/** TCG_PCClientTaggedEvent. Profile 1.06, section 10.4.2.1. */
export const tcgPcClientTaggedEvent = struct('TCG_PCClientTaggedEvent', {
  taggedEventId: u32le,
  taggedEventData: sized(u32le, rest, MAX_FIELD_BYTES),
});
