// SPDX-License-Identifier: Apache-2.0
import { constant, type Infer, mapped, struct, u8, u16le, u32le, u64le } from '@vouchsafe/codec';

/** A 32-bit field as a bigint, so that both forms of the header have one type. */
const u32leWide = mapped('u32le', u32le, BigInt, Number);

/** Fields that both forms have at the same place, from octet 2 on. */
const standard = {
  majorLinkerVersion: u8,
  minorLinkerVersion: u8,
  sizeOfCode: u32le,
  sizeOfInitializedData: u32le,
  sizeOfUninitializedData: u32le,
  addressOfEntryPoint: [u32le, 'relative virtual address'],
  baseOfCode: u32le,
} as const;

const windows = {
  sectionAlignment: [u32le, 'octets in memory'],
  fileAlignment: [u32le, 'octets in the file'],
  majorOperatingSystemVersion: u16le,
  minorOperatingSystemVersion: u16le,
  majorImageVersion: u16le,
  minorImageVersion: u16le,
  majorSubsystemVersion: u16le,
  minorSubsystemVersion: u16le,
  win32VersionValue: u32le,
  sizeOfImage: [u32le, 'octets in memory, headers included'],
  sizeOfHeaders: [u32le, 'octets of the file before the first section'],
  checkSum: u32le,
  subsystem: [u16le, '10 is an EFI application'],
  dllCharacteristics: u16le,
} as const;

const loader = { loaderFlags: u32le, numberOfRvaAndSizes: [u32le, 'data directories that follow'] } as const;

/** IMAGE_OPTIONAL_HEADER32 up to the data directories, 96 octets. PE Format, "Optional Header (Image Only)". */
export const imageOptionalHeader32 = struct('IMAGE_OPTIONAL_HEADER32', {
  magic: [constant(u16le, 0x010b), 'PE32'],
  ...standard,
  baseOfData: u32le,
  imageBase: u32leWide,
  ...windows,
  sizeOfStackReserve: u32leWide,
  sizeOfStackCommit: u32leWide,
  sizeOfHeapReserve: u32leWide,
  sizeOfHeapCommit: u32leWide,
  ...loader,
});

/** IMAGE_OPTIONAL_HEADER64 up to the data directories, 112 octets. PE Format, "Optional Header (Image Only)". */
export const imageOptionalHeader64 = struct('IMAGE_OPTIONAL_HEADER64', {
  magic: [constant(u16le, 0x020b), 'PE32+'],
  ...standard,
  imageBase: u64le,
  ...windows,
  sizeOfStackReserve: u64le,
  sizeOfStackCommit: u64le,
  sizeOfHeapReserve: u64le,
  sizeOfHeapCommit: u64le,
  ...loader,
});

export type ImageOptionalHeader = Infer<typeof imageOptionalHeader32> | Infer<typeof imageOptionalHeader64>;

/** Octets before the data directories. */
export const OPTIONAL_HEADER_BYTES = { pe32: 96, 'pe32+': 112 } as const;

/** Where the fields are that writers change, in octets from the header's start; the same in both forms. */
export const OPTIONAL_HEADER_FIELD = {
  sizeOfInitializedData: 8,
  sizeOfImage: 56,
  sizeOfHeaders: 60,
  checkSum: 64,
  dllCharacteristics: 70,
} as const;

/** IMAGE_DLLCHARACTERISTICS_NX_COMPAT: writable memory need not be executable. PE Format, "DLL Characteristics". */
export const NX_COMPAT = 0x0100;
