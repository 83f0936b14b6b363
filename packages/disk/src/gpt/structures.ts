// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { bytes, constant, guid, struct, u8, u16le, u32le, u64le, utf16leCell } from '@vouchsafe/codec';

/** Octets of a header without what later revisions may add. */
export const HEADER_BYTES = 92;
/** Octets of an entry as everybody writes them. */
export const ENTRY_BYTES = 128;
/** UEFI 2.10, section 5.3.1: at least this much is kept free for the entries, however few they are. */
export const MIN_ENTRY_ARRAY_BYTES = 16384;
/** Octets of a master boot record, whatever the size of a sector. */
export const MBR_BYTES = 512;
export const GPT_SIGNATURE: Uint8Array = ascii('EFI PART');

/** A partition record of a master boot record. UEFI 2.10, section 5.2.1, table 5.2. */
const mbrPartitionRecord = struct('MBR Partition Record', {
  bootIndicator: [u8, '0x80 when a BIOS boots from it'],
  startingChs: [bytes(3), 'cylinder, head and sector of the first'],
  osType: [u8, '0xEE for a GPT, 0 for an unused record'],
  endingChs: [bytes(3), 'cylinder, head and sector of the last'],
  startingLba: u32le,
  sizeInLba: u32le,
});

/** A master boot record, 512 octets. UEFI 2.10, section 5.2.1, table 5.1; a protective one, section 5.2.3. */
export const masterBootRecord = struct('Master Boot Record', {
  bootCode: [bytes(440), 'for a BIOS'],
  uniqueDiskSignature: u32le,
  unknown: u16le,
  record0: mbrPartitionRecord,
  record1: mbrPartitionRecord,
  record2: mbrPartitionRecord,
  record3: mbrPartitionRecord,
  signature: [constant(u16le, 0xaa55), 'says that this is one'],
});

/** The GPT header, 92 octets, little-endian; zeros follow up to the end of its sector. UEFI 2.10, section 5.3.2, table 5.5. */
export const gptHeader = struct('EFI_PARTITION_TABLE_HEADER', {
  signature: [constant(bytes(8), GPT_SIGNATURE), 'says that this is one'],
  revision: [constant(u32le, 0x0001_0000), '1.0'],
  headerSize: [u32le, 'octets under headerCrc32, from 92 to the size of a sector'],
  headerCrc32: [u32le, 'computed with this field zero'],
  reserved: [u32le, 'zero'],
  myLba: [u64le, 'where this header is'],
  alternateLba: [u64le, 'where the other one is'],
  firstUsableLba: [u64le, 'the first that a partition may use'],
  lastUsableLba: [u64le, 'the last that a partition may use'],
  diskGuid: guid,
  partitionEntryLba: [u64le, 'where the entries begin'],
  numberOfPartitionEntries: u32le,
  sizeOfPartitionEntry: [u32le, 'octets: 128 times a power of two'],
  partitionEntryArrayCrc32: [u32le, 'of all the entries, used or not'],
});

/** A GPT entry, 128 octets. UEFI 2.10, section 5.3.3, table 5.6. */
export const gptEntry = struct('EFI_PARTITION_ENTRY', {
  partitionTypeGuid: [guid, 'zero for an unused entry'],
  uniquePartitionGuid: guid,
  startingLba: u64le,
  endingLba: [u64le, 'the last, itself part of the partition'],
  attributes: [u64le, 'bits 0 to 2 of UEFI, 48 to 63 of the type'],
  partitionName: [bytes(72), 'UTF-16LE, filled up with NULs'],
});

/** What `partitionName` holds. */
export const gptName = utf16leCell(36);
