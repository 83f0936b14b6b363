// SPDX-License-Identifier: Apache-2.0
// Small files in the formats of firmware, written field by field, so that nothing of the product takes part.

const FILE_ALIGNMENT = 512;
const SECTION_ALIGNMENT = 4096;
const HEADERS_BYTES = 1024;
const PE_OFFSET = 0x40;
const DIRECTORIES = 16;

/** A PE32+ file for x86-64 with .text, .sbat and, for what says who it is, .sdmagic. */
export function madePe(loaderInfo: string | undefined): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const sections: [name: string, data: Uint8Array, flags: number][] = [
    ['.text', new Uint8Array(700).fill(0x90), 0x6000_0020],
    [
      '.sbat',
      text(
        'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\nmade,1,Made,made,1,https://example.org\n',
      ),
      0x4000_0040,
    ],
    ...(loaderInfo === undefined
      ? []
      : [['.sdmagic', text(`#### LoaderInfo: ${loaderInfo} ####\0`), 0x4000_0040] as [string, Uint8Array, number]]),
  ];
  const up = (value: number, to: number): number => Math.ceil(value / to) * to;
  const size = sections.reduce((sum, [, data]) => sum + up(data.length, FILE_ALIGNMENT), HEADERS_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const optional = PE_OFFSET + 24;
  const optionalBytes = 112 + DIRECTORIES * 8;
  bytes.set(text('MZ'));
  view.setUint32(0x3c, PE_OFFSET, true);
  bytes.set(text('PE'), PE_OFFSET);
  view.setUint16(PE_OFFSET + 4, 0x8664, true);
  view.setUint16(PE_OFFSET + 6, sections.length, true);
  view.setUint16(PE_OFFSET + 20, optionalBytes, true);
  view.setUint16(PE_OFFSET + 22, 0x22, true);
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, SECTION_ALIGNMENT, true);
  view.setUint32(optional + 36, FILE_ALIGNMENT, true);
  // MajorImageVersion: a kernel's says that it has the initrd protocol of EFI. Linux, include/linux/pe.h.
  view.setUint16(optional + 44, 1, true);
  view.setUint32(optional + 60, HEADERS_BYTES, true);
  view.setUint16(optional + 68, 10, true);
  view.setUint16(optional + 70, 0x160, true);
  view.setUint32(optional + 108, DIRECTORIES, true);
  let entry = optional + optionalBytes;
  let address = SECTION_ALIGNMENT;
  let pointer = HEADERS_BYTES;
  for (const [name, data, flags] of sections) {
    const rawSize = up(data.length, FILE_ALIGNMENT);
    bytes.set(text(name), entry);
    const fields = [data.length, address, rawSize, pointer];
    for (const [i, field] of fields.entries()) view.setUint32(entry + 8 + 4 * i, field, true);
    view.setUint32(entry + 36, flags, true);
    bytes.set(data, pointer);
    entry += 40;
    address = up(address + data.length, SECTION_ALIGNMENT);
    pointer += rawSize;
  }
  view.setUint32(optional + 56, address, true);
  return bytes;
}

const STORE_BYTES = 64 * 1024;

/** A firmware volume with an empty store of authenticated variables, as OVMF_VARS.fd is. */
export function madeVariableStore(): Uint8Array {
  const file = new Uint8Array(STORE_BYTES).fill(0xff);
  const view = new DataView(file.buffer);
  const hex = (offset: number, digits: string): void => file.set(Buffer.from(digits, 'hex'), offset);
  // EFI_FIRMWARE_VOLUME_HEADER: UEFI PI 1.8, volume 3, 3.2.1. EFI_SYSTEM_NV_DATA_FV_GUID.
  file.fill(0, 0, 0x48);
  hex(0x10, '8d2bf1ff96768b4ca9852747075b4f50');
  view.setBigUint64(0x20, BigInt(STORE_BYTES), true);
  hex(0x28, '5f465648fffe04004800');
  hex(0x37, '0201000000');
  view.setUint32(0x3c, STORE_BYTES, true);
  // VARIABLE_STORE_HEADER: EDK II, AuthenticatedVariableFormat.h. gEfiAuthenticatedVariableGuid.
  hex(0x48, '782cf3aa7b949a43a1802e144ec37792');
  view.setUint32(0x58, STORE_BYTES - 0x48, true);
  hex(0x5c, '5afe000000000000');
  let sum = 0;
  for (let at = 0; at < 0x48; at += 2) sum += view.getUint16(at, true);
  view.setUint16(0x32, -sum & 0xffff, true);
  return file;
}
