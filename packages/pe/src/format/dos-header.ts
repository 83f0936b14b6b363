// SPDX-License-Identifier: Apache-2.0
import { bytes, constant, struct, u16le, u32le } from '@vouchsafe/codec';

/** IMAGE_DOS_HEADER, 64 octets. PE Format, "MS-DOS Stub (Image Only)"; winnt.h has the names. */
export const imageDosHeader = struct('IMAGE_DOS_HEADER', {
  e_magic: [constant(u16le, 0x5a4d), 'MZ'],
  unused: [bytes(58), 'for DOS; Linux kernels keep boot protocol fields here'],
  e_lfanew: [u32le, 'file offset of the PE signature'],
});
