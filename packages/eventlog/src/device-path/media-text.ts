// SPDX-License-Identifier: Apache-2.0
import { decode, guid } from '@vouchsafe/codec';
import type { NodeFields } from './fields.ts';
import { hex, type NodeText, vendor } from './hardware-text.ts';

/** UEFI 2.10, section 10.3.5.1 (Hard Drive): what the signature is, its type says. */
function hardDriveText(f: NodeFields): string {
  const [partition, start, size, signature] = [f.u32(), f.u64(), f.u64(), f.bytes(16)];
  f.skip(1); // the format of the partition table, which the type of the signature implies
  const type = f.u8();
  const range = `${hex(start)},${hex(size)}`;
  if (type === 2) return `HD(${partition},GPT,${decode(guid, signature)},${range})`;
  if (type === 1) {
    const id = new DataView(signature.buffer, signature.byteOffset).getUint32(0, true);
    return `HD(${partition},MBR,0x${id.toString(16).padStart(8, '0')},${range})`;
  }
  return `HD(${partition},${type},0,${range})`;
}

const RAM_DISKS: Readonly<Record<string, string>> = {
  '77ab535a-45fc-624b-5560-f7b281d1f96e': 'VirtualDisk',
  '3d5abd30-4175-87ce-6d64-d2ade523c4bb': 'VirtualCD',
  '5cea02c9-4d07-69d3-269f-4496fbe096f9': 'PersistentVirtualDisk',
  '08018188-42cd-bb48-100f-5387d53ded3d': 'PersistentVirtualCD',
};

/** UEFI 2.10, section 10.3.5.9 (RAM Disk). */
function ramDiskText(f: NodeFields): string {
  const [start, end] = [f.u64(), f.u64()];
  const type = f.guid();
  const instance = f.u16();
  const name = RAM_DISKS[type];
  const range = `${hex(start)},${hex(end)},${instance}`;
  return name === undefined ? `RamDisk(${range},${type})` : `${name}(${range})`;
}

/** UEFI 2.10, section 10.3.5 (Media Device Path); Fv and FvFile are those of the Platform Initialization Specification. */
export const MEDIA_TEXT: Readonly<Record<number, NodeText>> = {
  1: hardDriveText,
  2: (f) => `CDROM(${hex(f.u32())},${hex(f.u64())},${hex(f.u64())})`,
  3: vendor('VenMedia'),
  4: (f) => f.utf16(),
  5: (f) => `Media(${f.guid()})`,
  6: (f) => `FvFile(${f.guid()})`,
  7: (f) => `Fv(${f.guid()})`,
  8: (f) => {
    f.skip(4);
    return `Offset(${hex(f.u64())},${hex(f.u64())})`;
  },
  9: ramDiskText,
};

const BBS_DEVICES = ['', 'Floppy', 'HD', 'CDROM', 'PCMCIA', 'USB', 'Network'];

/** UEFI 2.10, section 10.3.6 (BIOS Boot Specification Device Path). */
export const BIOS_TEXT: Readonly<Record<number, NodeText>> = {
  1: (f) => {
    const [device, flags] = [f.u16(), f.u16()];
    return `BBS(${BBS_DEVICES[device] || hex(device)},${f.latin1()},${hex(flags)})`;
  },
};
