// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { openPe, type PeFile } from '@vouchsafe/pe';

export type MadeSection = readonly [name: string, content: Uint8Array | string];

const HEADERS = 4096;
const ALIGNMENT = 512;

/** A PE32+ file of these sections, written field by field: no stub, nothing but what is to be measured. */
export function madePe(sections: readonly MadeSection[], label = 'made.efi', imageVersion = 1): PeFile {
  const contents = sections.map(([name, content]) => ({
    name,
    data: typeof content === 'string' ? utf8(content) : content,
  }));
  const up = (value: number): number => Math.ceil(value / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(HEADERS + contents.reduce((sum, { data }) => sum + up(data.length), 0));
  const view = new DataView(bytes.buffer);
  const optional = 0x40 + 24;
  bytes.set(utf8('MZ'));
  view.setUint32(0x3c, 0x40, true);
  bytes.set(utf8('PE'), 0x40);
  view.setUint16(0x44, 0x8664, true);
  view.setUint16(0x46, contents.length, true);
  view.setUint16(0x54, 112 + 16 * 8, true);
  view.setUint16(0x56, 0x22, true);
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, ALIGNMENT, true);
  view.setUint32(optional + 36, ALIGNMENT, true);
  view.setUint16(optional + 44, imageVersion, true);
  view.setUint32(optional + 60, HEADERS, true);
  view.setUint16(optional + 68, 10, true);
  view.setUint32(optional + 108, 16, true);
  let pointer = HEADERS;
  for (const [i, { name, data }] of contents.entries()) {
    const entry = optional + 112 + 16 * 8 + 40 * i;
    bytes.set(utf8(name), entry);
    view.setUint32(entry + 8, data.length, true);
    view.setUint32(entry + 12, pointer, true);
    view.setUint32(entry + 16, up(data.length), true);
    view.setUint32(entry + 20, data.length === 0 ? 0 : pointer, true);
    view.setUint32(entry + 36, 0x4000_0040, true);
    bytes.set(data, pointer);
    pointer += up(data.length);
  }
  view.setUint32(optional + 56, pointer, true);
  return openPe(memorySource(bytes, label));
}

/** With .sdmagic of that version of systemd-stub in front. */
export function madeUki(version: number | string, sections: readonly MadeSection[], label = 'uki.efi'): PeFile {
  return madePe([['.sdmagic', `#### LoaderInfo: systemd-stub ${version} ####\0`], ...sections], label);
}

export function madeLoader(version: number | string): PeFile {
  return madePe([['.sdmagic', `#### LoaderInfo: systemd-boot ${version} ####\0`]], 'loader.efi');
}
