// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { efiFirmwareSection, encodeHwids, type HwidDevice, kernelVersionOf, parseHwidDevice } from '@vouchsafe/pe';
import fc from 'fast-check';

const THINKPAD = {
  type: 'devicetree',
  name: 'LENOVO ThinkPad',
  compatible: 'lenovo,thinkpad-x13s',
  hwids: ['810E34C6-cc69-5e36-8675-2f6e354272d3', '0c6ea9a6-b35c-5b77-a0dd-7b3c2b1d8e0f'],
};
const FIRMWARE = { type: 'uefi-fw', name: 'Größe GmbH', fwid: 'fw-1', hwids: ['ffffffff-0000-5000-8000-000000000001'] };
const parse = (value: unknown): HwidDevice => parseHwidDevice(JSON.stringify(value), 'made.json');

// What pack_device and pack_strings of ukify 258 give for these two files, in this order, run with Python 3.11.
const UKIFY =
  '1c000010a6a96e0c5cb3775ba0dd7b3c2b1d8e0f7d000000920000001c000010c6340e8169cc365e86752f6e354272d37d000000920000001c000020ffffffff000000508000000000000001700000008d000000000000000000000000000000000000000000000000000000000000004772c3b6c39f6520476d6248004c454e4f564f205468696e6b5061640066772d31006c656e6f766f2c7468696e6b7061642d7831337300';

test('.hwids is what ukify writes: hardware IDs in their order, texts once', () => {
  assert.equal(toHex(encodeHwids([parse(THINKPAD), parse(FIRMWARE)])), UKIFY);
  // A file twice, or split in two, is the same.
  const [first, second] = THINKPAD.hwids;
  const split = [second, first].map((id) => parse({ ...THINKPAD, hwids: [id] }));
  assert.equal(toHex(encodeHwids([...split, parse(FIRMWARE), parse(FIRMWARE)])), UKIFY);
});

test('.hwids: each entry leads to its texts, whatever they are', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => !value.includes('\0'));
  const device = fc.record({ name: text, target: text, hwids: fc.array(fc.uuid(), { minLength: 1, maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(device, { minLength: 1, maxLength: 5 }), (devices) => {
      const bytes = encodeHwids(devices.map((one) => ({ ...one, type: 'devicetree' as const })));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const textAt = (at: number): string => Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString();
      const found = new Set<string>();
      for (let at = 0; view.getUint32(at, true) !== 0; at += 28) {
        assert.equal(view.getUint32(at, true), 0x1000_001c);
        found.add(JSON.stringify([textAt(view.getUint32(at + 20, true)), textAt(view.getUint32(at + 24, true))]));
      }
      const expected = new Set(
        devices.map(({ name, target }) =>
          JSON.stringify([name, target].map((value) => Buffer.from(utf8(value)).toString())),
        ),
      );
      assert.deepEqual(found, expected);
    }),
  );
});

test('a description of hardware that is not as it should be is refused', () => {
  for (const value of [
    [],
    'text',
    null,
    { ...THINKPAD, type: 'pci' },
    { ...THINKPAD, name: undefined },
    { ...THINKPAD, name: 'a\0b' },
    { ...THINKPAD, compatible: '' },
    { ...THINKPAD, fwid: 'fw-1' },
    { ...FIRMWARE, fwid: undefined, compatible: 'made' },
    { ...THINKPAD, hwids: [] },
    { ...THINKPAD, hwids: 'one' },
    { ...THINKPAD, hwids: ['810e34c6'] },
    { ...THINKPAD, hwids: [7] },
  ]) {
    assert.throws(() => parse(value), { name: 'PeError', code: 'hwids_malformed' }, JSON.stringify(value));
  }
  assert.throws(() => parseHwidDevice('{', 'made.json'), { code: 'hwids_malformed' });
  assert.throws(() => parse({ ...THINKPAD, name: 'n'.repeat(1025) }), { code: 'limit' });
  parse({ ...THINKPAD, name: 'n'.repeat(1024) });
  assert.throws(() => encodeHwids([]), { code: 'options_invalid' });
  const id = (i: number): string => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
  const many = (count: number): HwidDevice =>
    parse({ ...THINKPAD, hwids: Array.from({ length: count }, (_, i) => id(i)) });
  encodeHwids([many(16_384)]);
  assert.throws(() => encodeHwids([many(16_385)]), { code: 'limit' });
});

test('.efifw: magic, three lengths, the ID with its NUL, the firmware', () => {
  const section = efiFirmwareSection('fw-1', memorySource(Uint8Array.of(1, 2, 3), 'fw.bin'));
  assert.equal(
    toHex(readBytes(section, 0, section.size)),
    'addeedfe100000000500000003000000' + '66772d3100' + '010203',
  );
  for (const [id, octets] of [
    ['', 1],
    ['a\0', 1],
    ['fw', 0],
  ] as const) {
    assert.throws(() => efiFirmwareSection(id, memorySource(new Uint8Array(octets), 'fw.bin')), {
      code: 'options_invalid',
    });
  }
  assert.throws(() => efiFirmwareSection('x'.repeat(1025), memorySource(Uint8Array.of(1), 'fw.bin')), {
    code: 'limit',
  });
});

/** The head of an x86 kernel whose version stands at `at`. */
function setupHeader(version: string, at = 0x400): Uint8Array {
  const bytes = new Uint8Array(0x600);
  bytes.set(utf8('HdrS'), 0x202);
  new DataView(bytes.buffer).setUint16(0x20e, at - 0x200, true);
  bytes.set(utf8(version), at);
  return bytes;
}

test('an x86 kernel says its version; what is none, or points elsewhere, says nothing', () => {
  const of = (bytes: Uint8Array): string | undefined => kernelVersionOf(memorySource(bytes, 'vmlinuz'));
  assert.equal(of(setupHeader('6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP')), '6.1.0-56-cloud-amd64');
  assert.equal(of(setupHeader('6.12.0+~x (x@y) #1\0', 0x5f0 - 24)), '6.12.0+~x');
  assert.equal(of(setupHeader('6.1.0 made up')), undefined);
  assert.equal(of(setupHeader('(x) 6.1')), undefined);
  assert.equal(of(setupHeader('6.1 (x)').subarray(0, 0x400)), undefined);
  assert.equal(of(new Uint8Array(0x20f)), undefined);
  assert.equal(of(new Uint8Array(0x600)), undefined);
});
