// SPDX-License-Identifier: Apache-2.0
import { CodecError, checked, Reader, struct, u8, u16le } from '@vouchsafe/codec';

/** Nodes of one path at most; real ones have below 20, PCI bridges included. */
const MAX_NODES = 256;
const HEADER_BYTES = 4;

/** EFI_DEVICE_PATH_PROTOCOL, the header of each node. UEFI 2.10, section 10.2 (EFI Device Path Protocol). */
export const efiDevicePathHeader = struct('EFI_DEVICE_PATH_PROTOCOL', {
  type: [u8, '1 hardware, 2 ACPI, 3 messaging, 4 media, 5 BIOS boot, 0x7f end'],
  subType: u8,
  length: [
    checked(u16le, (length) => length >= HEADER_BYTES, 'a Length of 4 or more'),
    'octets of the node, these four included',
  ],
});

/** One node of a device path. */
export interface DevicePathNode {
  readonly type: number;
  readonly subType: number;
  /** What follows the header. */
  readonly data: Uint8Array;
}

/** UEFI 2.10, section 10.3.1 (Generic Device Path Structures): the end of a path, and of one instance of several. */
export const END_TYPE = 0x7f;
const END_ENTIRE = 0xff;

const NO_SCOPE = { get: () => undefined };

/**
 * The nodes of a device path up to its end node, which is left out. Some firmware logs a path without one: the end of the
 * bytes then is the end of the path.
 * @throws {CodecError} for a node that is longer than what is left, bytes after the end node, more than 256 nodes
 */
export function decodeDevicePath(bytes: Uint8Array): DevicePathNode[] {
  const r = new Reader(bytes);
  const nodes: DevicePathNode[] = [];
  while (r.pos < r.end) {
    if (nodes.length >= MAX_NODES) throw new CodecError('limit', r.pos, `more than ${MAX_NODES} nodes`);
    const { type, subType, length } = efiDevicePathHeader.read(r, NO_SCOPE);
    const data = r.takeBytes(length - HEADER_BYTES);
    if (type === END_TYPE && subType === END_ENTIRE) {
      r.finish();
      break;
    }
    nodes.push({ type, subType, data });
  }
  return nodes;
}
