// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex } from '@vouchsafe/base';
import type { NodeFields } from './fields.ts';
import { hex, type NodeText, vendor } from './hardware-text.ts';

const ipv4 = (f: NodeFields): string => [...f.bytes(4)].join('.');

function ipv6(f: NodeFields): string {
  const groups = toHex(f.bytes(16)).match(/.{4}/g) ?? [];
  return groups.map((group) => group.replace(/^0{1,3}/, '')).join(':');
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP' };
const protocolText = (number: number): string => PROTOCOLS[number] ?? hex(number);
const originText = (isStatic: number): string => (isStatic === 1 ? 'Static' : 'DHCP');

/** UEFI 2.10, section 10.3.4 (IPv4 Device Path): addresses of the machine first, in the text the server's first. */
function ipv4Text(f: NodeFields): string {
  const [local, remote] = [ipv4(f), ipv4(f)];
  f.skip(4); // ports, which the text form leaves out
  const [protocol, origin] = [f.u16(), f.u8()];
  const tail = f.left >= 8 ? [ipv4(f), ipv4(f)] : [];
  return `IPv4(${[remote, protocolText(protocol), originText(origin), local, ...tail].join(',')})`;
}

function ipv6Text(f: NodeFields): string {
  const [local, remote] = [ipv6(f), ipv6(f)];
  f.skip(4);
  const [protocol, origin] = [f.u16(), f.u8()];
  const origins: Readonly<Record<number, string>> = { 0: 'Static', 1: 'StatelessAutoConfigure' };
  return `IPv6(${remote},${protocolText(protocol)},${origins[origin] ?? 'StatefulAutoConfigure'},${local})`;
}

/** UEFI 2.10, section 10.3.4 (UART Device Path). */
function uartText(f: NodeFields): string {
  f.skip(4);
  const [baud, bits, parity, stop] = [f.u64(), f.u8(), f.u8(), f.u8()];
  const parities = ['D', 'N', 'E', 'O', 'M', 'S'];
  const stops = ['D', '1', '1.5', '2'];
  return `Uart(${baud},${bits},${parities[parity] ?? 'x'},${stops[stop] ?? 'x'})`;
}

/** UEFI 2.10, section 10.3.4 (USB class). */
function usbClassText(f: NodeFields): string {
  return `UsbClass(${[f.u16(), f.u16(), f.u8(), f.u8(), f.u8()].map(hex).join(',')})`;
}

/** UEFI 2.10, section 10.3.4 (NVM Express namespace): the EUI-64 is written from its last octet. */
function nvmeText(f: NodeFields): string {
  const namespace = f.u32();
  const eui = [...f.bytes(8)].reverse().map((octet) => octet.toString(16).toUpperCase().padStart(2, '0'));
  return `NVMe(${hex(namespace)},${eui.join('-')})`;
}

const lun = (bytes: Uint8Array): string => hex(BigInt(`0x${toHex(bytes)}`));

function dnsText(f: NodeFields): string {
  const isIpv6 = f.u8() === 1;
  const addresses: string[] = [];
  while (f.left >= 16) {
    if (isIpv6) addresses.push(ipv6(f));
    else {
      addresses.push(ipv4(f));
      f.skip(12);
    }
  }
  return `Dns(${addresses.join(',')})`;
}

/** UEFI 2.10, section 10.3.4 (iSCSI Device Path). */
function iscsiText(f: NodeFields): string {
  const [protocol, options] = [f.u16(), f.u16()];
  const [unit, portal] = [f.bytes(8), f.u16()];
  const digest = (bits: number): string => (bits === 2 ? 'CRC32C' : 'None');
  const methods: Readonly<Record<number, string>> = { 0: 'CHAP_BI', 2: 'None', 4: 'CHAP_UNI' };
  const method = methods[(options >> 10) & 7] ?? 'None';
  const checks = `${digest(options & 3)},${digest((options >> 2) & 3)},${method}`;
  return `iSCSI(${f.latin1()},${hex(portal)},${lun(unit)},${checks},${protocol === 0 ? 'TCP' : hex(protocol)})`;
}

/** A MAC address takes 6 octets of the field's 32 on Ethernet (interface types 0 and 1). */
function macText(f: NodeFields): string {
  const address = f.bytes(32);
  const type = f.u8();
  return `MAC(${toHex(type <= 1 ? address.subarray(0, 6) : address)},${hex(type)})`;
}

/** UEFI 2.10, section 10.3.4 (Messaging Device Path). */
export const MESSAGING_TEXT: Readonly<Record<number, NodeText>> = {
  1: (f) => {
    const [primary, slave, unit] = [f.u8(), f.u8(), f.u16()];
    return `Ata(${primary === 0 ? 'Primary' : 'Secondary'},${slave === 0 ? 'Master' : 'Slave'},${hex(unit)})`;
  },
  2: (f) => `Scsi(${hex(f.u16())},${hex(f.u16())})`,
  3: (f) => {
    f.skip(4);
    return `Fibre(${hex(f.u64())},${hex(f.u64())})`;
  },
  4: (f) => {
    f.skip(4);
    return `I1394(${f.u64().toString(16).padStart(16, '0')})`;
  },
  5: (f) => `USB(${hex(f.u8())},${hex(f.u8())})`,
  6: (f) => `I2O(${hex(f.u32())})`,
  9: (f) => {
    f.skip(4);
    const [flags, gid, ioc, target, device] = [f.u32(), f.bytes(16), f.u64(), f.u64(), f.u64()];
    return `Infiniband(${hex(flags)},${toHex(gid)},${hex(ioc)},${hex(target)},${hex(device)})`;
  },
  10: vendor('VenMsg'),
  11: macText,
  12: ipv4Text,
  13: ipv6Text,
  14: uartText,
  15: usbClassText,
  16: (f) => {
    const [face, vendorId, product] = [f.u16(), f.u16(), f.u16()];
    return `UsbWwid(${hex(vendorId)},${hex(product)},${hex(face)},"${f.utf16()}")`;
  },
  17: (f) => `Unit(${hex(f.u8())})`,
  18: (f) => `Sata(${hex(f.u16())},${hex(f.u16())},${hex(f.u16())})`,
  19: iscsiText,
  20: (f) => `Vlan(${f.u16()})`,
  21: (f) => {
    f.skip(4);
    return `FibreEx(${lun(f.bytes(8))},${lun(f.bytes(8))})`;
  },
  22: (f) => {
    const [address, unit] = [f.bytes(8), f.bytes(8)];
    const [info, target] = [f.u16(), f.u16()];
    return `SasEx(${lun(address)},${lun(unit)},${hex(target)},${hex(info)})`;
  },
  23: nvmeText,
  24: (f) => `Uri(${f.latin1()})`,
  25: (f) => {
    const target = f.u8();
    return `UFS(${hex(target)},${hex(f.u8())})`;
  },
  26: (f) => `SD(${hex(f.u8())})`,
  27: (f) => `Bluetooth(${toHex(f.bytes(6))})`,
  28: (f) => `Wi-Fi(${f.latin1()})`,
  29: (f) => `eMMC(${hex(f.u8())})`,
  30: (f) => `BluetoothLE(${toHex(f.bytes(6))},${hex(f.u8())})`,
  31: dnsText,
  32: (f) => `NVDIMM(${f.guid()})`,
  33: (f) => `RestService(${hex(f.u8())},${hex(f.u8())})`,
  34: (f) => {
    const [kind, id] = [f.u8(), f.bytes(16)];
    return `NVMEoF(${f.latin1()},${hex(kind)},${toHex(concatBytes(id))})`;
  },
};
