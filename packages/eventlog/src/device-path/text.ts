// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import { NodeFields } from './fields.ts';
import { ACPI_TEXT, HARDWARE_TEXT, type NodeText } from './hardware-text.ts';
import { BIOS_TEXT, MEDIA_TEXT } from './media-text.ts';
import { MESSAGING_TEXT } from './messaging-text.ts';
import { type DevicePathNode, decodeDevicePath, END_TYPE } from './nodes.ts';

/** By type of node. */
const TYPES: Readonly<Record<number, Readonly<Record<number, NodeText>>>> = {
  1: HARDWARE_TEXT,
  2: ACPI_TEXT,
  3: MESSAGING_TEXT,
  4: MEDIA_TEXT,
  5: BIOS_TEXT,
};

/** A media device path's file name: consecutive ones are one path. UEFI 2.10, section 10.3.5.4. */
function isFilePath({ type, subType }: DevicePathNode): boolean {
  return type === 4 && subType === 4;
}

/** A node that is not known, or whose fields are not there: Path(type,subtype,data), as UEFI writes it. */
function generic({ type, subType, data }: DevicePathNode): string {
  return `Path(${type},${subType},${toHex(data)})`;
}

function nodeText(node: DevicePathNode): string {
  const text = TYPES[node.type]?.[node.subType];
  if (text === undefined) return generic(node);
  const fields = new NodeFields(node.data);
  try {
    const shown = text(fields);
    // Octets that the text would not show.
    return fields.left === 0 ? shown : generic(node);
  } catch (error) {
    if (error instanceof CodecError) return generic(node);
    throw error;
  }
}

/**
 * A device path as the UEFI specification writes it: PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x0,0xffff,0x0)/HD(…)/\EFI\BOOT\BOOTX64.EFI.
 * UEFI 2.10, section 10.6 (EFI Device Path Display Format). Instances of one path are separated by commas.
 * @throws {CodecError} as `decodeDevicePath`
 */
export function devicePathText(bytes: Uint8Array): string {
  return nodesText(decodeDevicePath(bytes));
}

/** The text of nodes that are decoded already. */
export function nodesText(nodes: readonly DevicePathNode[]): string {
  let text = '';
  let isStart = true;
  for (const node of nodes) {
    if (node.type === END_TYPE) {
      text += ',';
      isStart = true;
      continue;
    }
    text += `${isStart ? '' : '/'}${nodeText(node)}`;
    isStart = false;
  }
  return text;
}

/** The file that a device path ends in, as its nodes say: '\EFI\BOOT\BOOTX64.EFI'; undefined where it names none. */
export function devicePathFile(bytes: Uint8Array): string | undefined {
  return nodesFile(decodeDevicePath(bytes));
}

/** The file of nodes that are decoded already. */
export function nodesFile(nodes: readonly DevicePathNode[]): string | undefined {
  const names = nodes.filter(isFilePath).map(({ data }) => new NodeFields(data).utf16());
  return names.length === 0 ? undefined : names.join('\\').replace(/\\{2,}/g, '\\');
}
