// SPDX-License-Identifier: Apache-2.0
import { asciiCell, type Infer, struct, u16le, u32le } from '@vouchsafe/codec';

/**
 * IMAGE_SECTION_HEADER, 40 octets. PE Format, "Section Table (Section Headers)". A name with something after its NUL is
 * refused, as readers that stop there and readers that do not would see two names.
 */
export const imageSectionHeader = struct('IMAGE_SECTION_HEADER', {
  name: asciiCell(8),
  virtualSize: [u32le, 'octets in memory'],
  virtualAddress: [u32le, 'relative virtual address'],
  sizeOfRawData: [u32le, 'octets in the file, rounded up to FileAlignment'],
  pointerToRawData: [u32le, 'file offset'],
  pointerToRelocations: u32le,
  pointerToLinenumbers: u32le,
  numberOfRelocations: u16le,
  numberOfLinenumbers: u16le,
  characteristics: u32le,
});
export type ImageSectionHeader = Infer<typeof imageSectionHeader>;
export const SECTION_HEADER_BYTES = 40;

/** IMAGE_SCN_…. PE Format, "Section Flags". */
export const SECTION_FLAG = {
  cntCode: 0x0000_0020,
  cntInitializedData: 0x0000_0040,
  memExecute: 0x2000_0000,
  memRead: 0x4000_0000,
  memWrite: 0x8000_0000,
} as const;
