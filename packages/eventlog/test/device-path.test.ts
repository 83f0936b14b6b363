// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex } from '@vouchsafe/base';
import { decodeDevicePath, decodeLoadOption, devicePathFile, devicePathText } from '@vouchsafe/eventlog';
import fc from 'fast-check';
import { codeOf } from './support.ts';

const END = parseHex('7fff0400');
const node = (type: number, subType: number, data: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(type, subType, (data.length + 4) & 0xff, (data.length + 4) >> 8), data);
const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(`${text}\0`, 'utf16le'));

/** Nodes as octets, and as UEFI 2.10, section 10.6.1.6, and EDK II's UefiDevicePathLib write them. */
const NODES: readonly (readonly [type: number, subType: number, data: string, text: string])[] = [
  [1, 1, '021f', 'Pci(0x1f,0x2)'],
  [1, 2, '05', 'PcCard(0x5)'],
  [1, 3, '0b000000' + '0010000000000000' + 'ff1f000000000000', 'MemoryMapped(0xb,0x1000,0x1fff)'],
  [1, 4, 'c9bdb87cebf8344faaea3ee4af6516a1' + '0102', 'VenHw(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1,0102)'],
  [1, 5, '07000000', 'Ctrl(0x7)'],
  [2, 1, 'd041030a' + '00000000', 'PciRoot(0x0)'],
  [2, 1, 'd041080a' + '01000000', 'PcieRoot(0x1)'],
  [2, 1, 'd0410305' + '00000000', 'Acpi(PNP0503,0x0)'],
  [2, 3, '00040180', 'AcpiAdr(0x80010400)'],
  [3, 1, '0001' + '0200', 'Ata(Primary,Slave,0x2)'],
  [3, 2, '0100' + '0200', 'Scsi(0x1,0x2)'],
  [3, 5, '0100', 'USB(0x1,0x0)'],
  [3, 11, `525400123456${'00'.repeat(26)}01`, 'MAC(525400123456,0x1)'],
  [
    3,
    12,
    '00000000' + 'c0a80001' + '00000000' + '1100' + '00' + '0a000001' + 'ffffff00',
    'IPv4(192.168.0.1,UDP,DHCP,0.0.0.0,10.0.0.1,255.255.255.0)',
  ],
  [3, 15, '34127856ff0102', 'UsbClass(0x1234,0x5678,0xff,0x1,0x2)'],
  [3, 17, '03', 'Unit(0x3)'],
  [3, 18, '0100ffff0000', 'Sata(0x1,0xffff,0x0)'],
  [3, 23, '01000000' + '0011223344556677', 'NVMe(0x1,77-66-55-44-33-22-11-00)'],
  [3, 24, Buffer.from('http://boot/a.efi').toString('hex'), 'Uri(http://boot/a.efi)'],
  [3, 25, '0102', 'UFS(0x1,0x2)'],
  [3, 26, '01', 'SD(0x1)'],
  [3, 29, '02', 'eMMC(0x2)'],
  [
    4,
    1,
    '01000000' + '0008000000000000' + '00d0020000000000' + 'aaaaaaaabbbbcc4c8dddeeeeeeeeeeee' + '0202',
    'HD(1,GPT,aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee,0x800,0x2d000)',
  ],
  [4, 1, `020000000008000000000000001000000000000078563412${'00'.repeat(12)}0101`, 'HD(2,MBR,0x12345678,0x800,0x1000)'],
  [4, 2, '00000000' + '1000000000000000' + '2000000000000000', 'CDROM(0x0,0x10,0x20)'],
  [4, 6, '21aa2c4614760345836e8ab6f4662331', 'FvFile(462caa21-7614-4503-836e-8ab6f4662331)'],
  [4, 7, 'c9bdb87cebf8344faaea3ee4af6516a1', 'Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)'],
  [4, 8, '00000000' + '0100000000000000' + '0200000000000000', 'Offset(0x1,0x2)'],
  [5, 1, `02000000${Buffer.from('disk\0').toString('hex')}`, 'BBS(HD,disk,0x0)'],
  // Unknown, and known with octets too many or too few: nothing is left out.
  [3, 99, '0102', 'Path(3,99,0102)'],
  [1, 1, '021f00', 'Path(1,1,021f00)'],
  [1, 1, '02', 'Path(1,1,02)'],
];

for (const [type, subType, data, text] of NODES) {
  test(`device path node ${type}, ${subType}: ${text.slice(0, 60)}`, () => {
    assert.equal(devicePathText(concatBytes(node(type, subType, parseHex(data)), END)), text);
  });
}

test('a whole path, with and without its end; instances; the file it ends in', () => {
  const path = concatBytes(
    node(2, 1, parseHex('d041030a00000000')),
    node(1, 1, parseHex('0001')),
    node(4, 4, wide('\\EFI\\BOOT')),
    node(4, 4, wide('\\BOOTX64.EFI')),
  );
  const text = 'PciRoot(0x0)/Pci(0x1,0x0)/\\EFI\\BOOT/\\BOOTX64.EFI';
  assert.equal(devicePathText(path), text);
  assert.equal(devicePathText(concatBytes(path, END)), text);
  assert.equal(devicePathFile(concatBytes(path, END)), '\\EFI\\BOOT\\BOOTX64.EFI');
  const twice = concatBytes(path, parseHex('7f010400'), node(1, 5, parseHex('01000000')), END);
  assert.equal(devicePathText(twice), `${text},Ctrl(0x1)`);
  assert.equal(devicePathFile(END), undefined);
  assert.equal(devicePathText(new Uint8Array()), '');
});

test('malformed: every truncation inside a node, lengths below 4, octets behind the end, too many nodes', () => {
  const path = concatBytes(node(1, 1, parseHex('0001')), node(4, 4, wide('\\a')), END);
  const borders = new Set([0, 6, 6 + 4 + 6, path.length]);
  for (let size = 0; size < path.length; size++) {
    const part = path.subarray(0, size);
    if (borders.has(size)) decodeDevicePath(part);
    else
      assert.equal(
        codeOf(() => decodeDevicePath(part)),
        'truncated',
        `${size} octets`,
      );
  }
  for (const length of [0, 3]) {
    assert.notEqual(
      codeOf(() => decodeDevicePath(Uint8Array.of(1, 1, length, 0, 0, 0))),
      'truncated',
    );
  }
  assert.equal(
    codeOf(() => decodeDevicePath(concatBytes(path, Uint8Array.of(0)))),
    'trailing_bytes',
  );
  const many = (count: number): Uint8Array =>
    concatBytes(...Array.from({ length: count }, () => node(1, 1, parseHex('0001'))));
  assert.equal(decodeDevicePath(many(256)).length, 256);
  assert.equal(
    codeOf(() => decodeDevicePath(many(257))),
    'limit',
  );
});

test('any octets give a text or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(5), fc.nat(40), (data, type, subType) => {
      devicePathText(concatBytes(node(type, subType, data), END));
      try {
        devicePathText(data);
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error);
      }
    }),
  );
});

test('Boot####: attributes, description, path and what follows; every truncation is an error', () => {
  const path = concatBytes(node(1, 1, parseHex('0001')), END);
  const option = concatBytes(
    parseHex('01000000'),
    Uint8Array.of(path.length, 0),
    wide('Linux'),
    path,
    parseHex('0102'),
  );
  assert.deepEqual(decodeLoadOption(option), {
    attributes: 1,
    isActive: true,
    description: 'Linux',
    path: 'Pci(0x1,0x0)',
    optionalData: parseHex('0102'),
  });
  for (let size = 0; size < option.length - 2; size++) {
    assert.equal(
      codeOf(() => decodeLoadOption(option.subarray(0, size))),
      'truncated',
    );
  }
});
