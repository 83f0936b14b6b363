// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { openPe, type PeFile } from '@vouchsafe/pe';

export interface MadeOptions {
  readonly format?: 'pe32' | 'pe32+';
  readonly machine?: number;
  readonly sectionAlignment?: number;
  readonly sizeOfHeaders?: number;
  readonly dllCharacteristics?: number;
  readonly sdmagic?: string;
  readonly sbat?: string;
  readonly bssBytes?: number;
}

const FILE_ALIGNMENT = 512;
const PE_OFFSET = 0x40;

/** A small PE file with .text, .sbat and .sdmagic, written field by field: nothing of the package takes part. */
export function madeBytes(options: MadeOptions = {}): Uint8Array {
  const { format = 'pe32+', machine = 0x8664, sectionAlignment = 4096, sizeOfHeaders = 1024 } = options;
  const wide = format === 'pe32+';
  const sections = [
    { name: '.text', data: new Uint8Array(700).fill(0x90), flags: 0x6000_0020 },
    { name: '.sbat', data: utf8(options.sbat ?? 'sbat,1,x\nstub.made,1,Made\n'), flags: 0x4000_0040 },
    {
      name: '.sdmagic',
      data: utf8(options.sdmagic ?? '#### LoaderInfo: systemd-stub 257.1 ####\0'),
      flags: 0x4000_0040,
    },
  ];
  const count = sections.length + (options.bssBytes === undefined ? 0 : 1);
  const up = (value: number, to: number): number => Math.ceil(value / to) * to;
  const bytes = new Uint8Array(
    sizeOfHeaders + sections.reduce((sum, { data }) => sum + up(data.length, FILE_ALIGNMENT), 0),
  );
  const view = new DataView(bytes.buffer);
  const optional = PE_OFFSET + 24;
  const directories = optional + (wide ? 112 : 96);
  bytes.set(utf8('MZ'));
  view.setUint32(0x3c, PE_OFFSET, true);
  bytes.set(utf8('PE'), PE_OFFSET);
  view.setUint16(PE_OFFSET + 4, machine, true);
  view.setUint16(PE_OFFSET + 6, count, true);
  view.setUint16(PE_OFFSET + 20, directories - optional + 16 * 8, true);
  view.setUint16(PE_OFFSET + 22, 0x22, true);
  view.setUint16(optional, wide ? 0x20b : 0x10b, true);
  view.setUint32(optional + 32, sectionAlignment, true);
  view.setUint32(optional + 36, FILE_ALIGNMENT, true);
  view.setUint32(optional + 60, sizeOfHeaders, true);
  view.setUint16(optional + 68, 10, true);
  view.setUint16(optional + 70, options.dllCharacteristics ?? 0x160, true);
  view.setUint32(directories - 4, 16, true);
  let entry = directories + 16 * 8;
  let address = 4096;
  let pointer = sizeOfHeaders;
  const put = (name: string, virtualSize: number, rawSize: number, flags: number): void => {
    bytes.set(utf8(name), entry);
    view.setUint32(entry + 8, virtualSize, true);
    view.setUint32(entry + 12, address, true);
    view.setUint32(entry + 16, rawSize, true);
    view.setUint32(entry + 20, rawSize === 0 ? 0 : pointer, true);
    view.setUint32(entry + 36, flags, true);
    entry += 40;
    address = up(address + virtualSize, sectionAlignment);
  };
  for (const { name, data, flags } of sections) {
    const rawSize = up(data.length, FILE_ALIGNMENT);
    put(name, data.length, rawSize, flags);
    bytes.set(data, pointer);
    pointer += rawSize;
  }
  if (options.bssBytes !== undefined) put('.bss', options.bssBytes, 0, 0xc000_0080);
  view.setUint32(optional + 56, address, true);
  return bytes;
}

export function madeStub(options: MadeOptions): PeFile {
  return openPe(memorySource(madeBytes(options), 'made.efi'));
}

export const MADE_ADDON_STUB = madeStub({});
