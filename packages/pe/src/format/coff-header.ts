// SPDX-License-Identifier: Apache-2.0
import { constant, type Infer, openEnumOf, struct, u16le, u32le } from '@vouchsafe/codec';

/** "PE\0\0". PE Format, "Signature (Image Only)". */
export const peSignature = constant(u32le, 0x0000_4550);
export const PE_SIGNATURE_BYTES = 4;

/** Machines that UEFI runs on, and those seen in its files. PE Format, "Machine Types". */
const MACHINES = {
  ia32: 0x014c,
  arm: 0x01c2,
  armnt: 0x01c4,
  ia64: 0x0200,
  ebc: 0x0ebc,
  riscv32: 0x5032,
  riscv64: 0x5064,
  loongarch64: 0x6264,
  x64: 0x8664,
  arm64: 0xaa64,
} as const;

/** A name where it is known, else the number. */
export type Machine = keyof typeof MACHINES | number;

/** IMAGE_FILE_HEADER, 20 octets, after the signature. PE Format, "COFF File Header (Object and Image)". */
export const imageFileHeader = struct('IMAGE_FILE_HEADER', {
  machine: openEnumOf(u16le, MACHINES),
  numberOfSections: u16le,
  timeDateStamp: [u32le, 'seconds since 1970, or anything in a reproducible file'],
  pointerToSymbolTable: [u32le, 'file offset; 0 in an image that was stripped'],
  numberOfSymbols: u32le,
  sizeOfOptionalHeader: u16le,
  characteristics: u16le,
});
export type ImageFileHeader = Infer<typeof imageFileHeader>;
export const IMAGE_FILE_HEADER_BYTES = 20;

/** Where its fields are that writers change, in octets from its start. */
export const FILE_HEADER_FIELD = {
  numberOfSections: 2,
  pointerToSymbolTable: 8,
  numberOfSymbols: 12,
  characteristics: 18,
} as const;

/** IMAGE_FILE_LOCAL_SYMS_STRIPPED. PE Format, "Characteristics". */
export const LOCAL_SYMS_STRIPPED = 0x0008;

/** Octets of one entry of the symbol table. PE Format, "COFF Symbol Table". */
export const SYMBOL_BYTES = 18;
