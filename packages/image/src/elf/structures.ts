// SPDX-License-Identifier: Apache-2.0
// ELF-64, little-endian: what we read of it. System V ABI, gABI 4.1, chapters 4 and 5; ELF-64 Object File Format 1.5.

import { ascii } from '@vouchsafe/base';
import { bytes, constant, struct, u8, u16le, u32le, u64le, zeros } from '@vouchsafe/codec';

/** Elf64_Ehdr, with the class and byte order that this reader takes. */
export const elf64Header = struct('Elf64_Ehdr', {
  magic: constant(bytes(4), Uint8Array.of(0x7f, ...ascii('ELF'))),
  class: [constant(u8, 2), 'ELFCLASS64'],
  data: [constant(u8, 1), 'ELFDATA2LSB'],
  identVersion: constant(u8, 1),
  osAbi: u8,
  abiVersion: u8,
  identPadding: zeros(7),
  type: u16le,
  machine: u16le,
  version: u32le,
  entry: u64le,
  programHeaderOffset: u64le,
  sectionHeaderOffset: u64le,
  flags: u32le,
  headerSize: u16le,
  programHeaderEntrySize: u16le,
  programHeaderCount: u16le,
  sectionHeaderEntrySize: [constant(u16le, 64), 'octets of Elf64_Shdr'],
  sectionHeaderCount: u16le,
  sectionNamesIndex: u16le,
});

/** Elf64_Shdr. */
export const elf64SectionHeader = struct('Elf64_Shdr', {
  nameOffset: [u32le, 'in the section of names'],
  type: u32le,
  flags: u64le,
  address: u64le,
  offset: [u64le, 'octets from the start of the file'],
  size: [u64le, 'octets'],
  link: u32le,
  info: u32le,
  alignment: u64le,
  entrySize: u64le,
});

/** Elf64_Dyn. */
export const elf64Dynamic = struct('Elf64_Dyn', { tag: u64le, value: u64le });
