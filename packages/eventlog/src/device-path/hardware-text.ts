// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { NodeFields } from './fields.ts';

/** What a node is as text: UEFI 2.10, section 10.6 (Text Device Node Reference). */
export type NodeText = (fields: NodeFields) => string;

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A vendor's node of any type: its GUID, and its data in hexadecimal. */
export const vendor =
  (name: string): NodeText =>
  (f) => {
    const guid = f.guid();
    return f.left === 0 ? `${name}(${guid})` : `${name}(${guid},${toHex(f.rest())})`;
  };

/** UEFI 2.10, section 10.3.2 (Hardware Device Path). */
export const HARDWARE_TEXT: Readonly<Record<number, NodeText>> = {
  1: (f) => {
    const fn = f.u8();
    return `Pci(${hex(f.u8())},${hex(fn)})`;
  },
  2: (f) => `PcCard(${hex(f.u8())})`,
  3: (f) => `MemoryMapped(${hex(f.u32())},${hex(f.u64())},${hex(f.u64())})`,
  4: vendor('VenHw'),
  5: (f) => `Ctrl(${hex(f.u32())})`,
  6: (f) => `BMC(${hex(f.u8())},${hex(f.u64())})`,
};

/** An EISA PNP ID of 32 bits: three letters of five bits each, then a number. UEFI 2.10, section 10.3.3. */
function eisaId(id: number): string {
  const letter = (bits: number): string => String.fromCharCode(0x40 + (bits & 0x1f));
  const number = (id >>> 16).toString(16).toUpperCase().padStart(4, '0');
  return `${letter(id >>> 10)}${letter(id >>> 5)}${letter(id)}${number}`;
}

/** _HIDs of ACPI 6.4 that have a name of their own in the text form. */
const ACPI_NAMES: Readonly<Record<string, string>> = {
  PNP0A03: 'PciRoot',
  PNP0A08: 'PcieRoot',
  PNP0604: 'Floppy',
  PNP0301: 'Keyboard',
  PNP0501: 'Serial',
  PNP0401: 'ParallelPort',
};

/** UEFI 2.10, section 10.3.3 (ACPI Device Path). */
export const ACPI_TEXT: Readonly<Record<number, NodeText>> = {
  1: (f) => {
    const hid = eisaId(f.u32());
    const uid = hex(f.u32());
    const name = ACPI_NAMES[hid];
    return name === undefined ? `Acpi(${hid},${uid})` : `${name}(${uid})`;
  },
  2: (f) => {
    const [hid, uid, cid] = [f.u32(), f.u32(), f.u32()];
    const [hidText = '', uidText = '', cidText = ''] = String.fromCharCode(...f.rest()).split('\0');
    const id = (text: string, number: number): string => (text !== '' ? text : number === 0 ? '0' : eisaId(number));
    return `AcpiEx(${id(hidText, hid)},${id(cidText, cid)},${uidText !== '' ? uidText : hex(uid)})`;
  },
  3: (f) => {
    const addresses: string[] = [];
    while (f.left >= 4) addresses.push(hex(f.u32()));
    return `AcpiAdr(${addresses.join(',')})`;
  },
  4: (f) => `AcpiNvdimm(${hex(f.u32())})`,
};
