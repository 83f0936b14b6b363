// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { parseUtf8, toHex } from '@vouchsafe/base';
import { type ByteSource, memorySource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import {
  checkLayout,
  digestCoveredBySignature,
  digestMeasuredByFirmware,
  findSection,
  isPe,
  openPe,
  type PeErrorCode,
  readCertificateTable,
  sectionSource,
} from '@vouchsafe/pe';
import { needsVectors } from '@vouchsafe/testing';
import fc from 'fast-check';
import { madeBytes } from './made-pe.ts';
import { imagePath, openBytes, openImage, readImage } from './support.ts';

/** One file of pe/EXPECTED.json and sign/EXPECTED.json. */
interface Expected {
  readonly size: number;
  readonly authenticodeSha256: string;
  /** null where the size is a multiple of 8. */
  readonly authenticodeSha256NoPad: string | null;
  readonly authenticodeSha1: string;
  readonly pesignSha256: string;
  readonly header: Readonly<Record<string, string | number>>;
  readonly certTable: {
    readonly offset: number;
    readonly size: number;
    readonly entries: readonly { readonly dwLength: number; readonly wCertificateType: number }[];
  };
  readonly sections: readonly Readonly<Record<string, string | number>>[];
}

function expectations(folder: string): [string, Expected][] {
  if (!existsSync(imagePath(folder, 'EXPECTED.json'))) return [];
  const table: Record<string, Expected> = JSON.parse(parseUtf8(readImage(folder, 'EXPECTED.json')));
  // The tables are of more files than the vectors hold.
  return Object.entries(table).filter(([name]) => existsSync(imagePath(folder, name)));
}

for (const folder of ['pe', 'sign']) {
  test(
    `headers, sections, certificates and digests of the vectors in ${folder}/`,
    needsVectors('image', folder),
    () => {
      const files = expectations(folder);
      assert.ok(files.length >= 8);
      for (const [name, expected] of files) {
        const pe = openImage(folder, name);
        const header = pe.optionalHeader;
        assert.equal(pe.format, expected.header['magic'] === '0x20b' ? 'pe32+' : 'pe32', name);
        for (const field of [
          'sizeOfHeaders',
          'sectionAlignment',
          'fileAlignment',
          'sizeOfImage',
          'subsystem',
        ] as const) {
          assert.equal(header[field], expected.header[field], `${name} ${field}`);
        }
        assert.equal(header.checkSum, Number(expected.header['checksum']), name);
        assert.equal(header.dllCharacteristics, Number(expected.header['dllCharacteristics']), name);
        const sections = pe.sections.map((section) => {
          const source = sectionSource(pe, section);
          return {
            name: section.name,
            virtualSize: section.virtualSize,
            virtualAddress: section.virtualAddress,
            rawSize: section.sizeOfRawData,
            rawPointer: section.pointerToRawData,
            characteristics: `0x${section.characteristics.toString(16)}`,
            sha256OfVirtualSizeBytes: toHex(digest('sha256', readBytes(source, 0, source.size))),
          };
        });
        assert.deepEqual(sections, expected.sections, name);
        assert.deepEqual(
          readCertificateTable(pe).map(({ data }) => data.length + 8),
          expected.certTable.entries.map(({ dwLength }) => dwLength),
          name,
        );
        assert.equal(toHex(digestCoveredBySignature(pe, 'sha256')), expected.authenticodeSha256, name);
        assert.equal(toHex(digestCoveredBySignature(pe, 'sha1')), expected.authenticodeSha1, name);
        const measured = toHex(digestMeasuredByFirmware(pe, 'sha256'));
        assert.equal(measured, expected.authenticodeSha256NoPad ?? expected.authenticodeSha256, name);
        assert.equal(measured, expected.pesignSha256, name);
      }
    },
  );
}

test('firmware measured what we say of the files that booted', needsVectors('image', 'boot'), () => {
  const logs = ['direct-stub252', 'sdboot252-stub252', 'secureboot-257'].map((name) =>
    parseUtf8(readImage('boot', name, 'eventlog.yaml')),
  );
  const log = logs.join('\n');
  const files = ['uki-252.39.efi', 'uki-257.13-signed.efi', 'sd-boot-257.13-signed.efi'];
  for (const file of files) {
    const measured = toHex(digestMeasuredByFirmware(openImage('boot', file), 'sha256'));
    assert.ok(log.includes(measured), `${file} ${measured}`);
  }
  // The kernel inside, which stub 252 loads through the firmware while Secure Boot is off.
  const uki = openImage('boot', 'uki-252.39.efi');
  const linux = findSection(uki, '.linux');
  assert.ok(linux);
  const kernel = openPe(sectionSource(uki, linux));
  assert.ok(log.includes(toHex(digestMeasuredByFirmware(kernel, 'sha256'))));
});

test('machines and both forms of the header', () => {
  for (const [machine, name] of [
    [0x14c, 'ia32'],
    [0x1c4, 'armnt'],
    [0x5064, 'riscv64'],
    [0x6264, 'loongarch64'],
    [7, 7],
  ] as const) {
    for (const format of ['pe32', 'pe32+'] as const) {
      const pe = openBytes(madeBytes({ machine, format }));
      assert.equal(pe.fileHeader.machine, name);
      assert.equal(pe.format, format);
      assert.deepEqual(checkLayout(pe), []);
    }
  }
});

test('only headers are read when a file is opened', () => {
  const bytes = madeBytes();
  let read = 0;
  const source: ByteSource = {
    size: bytes.length,
    label: 'counted',
    read(offset, target) {
      read = Math.max(read, offset + target.length);
      memorySource(bytes).read(offset, target);
    },
  };
  openPe(source);
  assert.ok(read <= 1024);
});

const PE = 0x40;
const OPTIONAL = PE + 24;
const DIRECTORIES = OPTIONAL + 112;
const SECTIONS = DIRECTORIES + 128;

/** One field changed; the numbers are those of the made file. */
const MALFORMED: readonly [what: string, offset: number, bytes: 2 | 4, value: number, code: PeErrorCode][] = [
  ['no MZ', 0, 2, 0x5a4e, 'not_pe'],
  ['e_lfanew behind the end', 0x3c, 4, 0xff00, 'truncated'],
  ['e_lfanew far away', 0x3c, 4, 0xffff_ffff, 'limit'],
  ['e_lfanew at the limit and one', 0x3c, 4, 1024 * 1024 + 1, 'limit'],
  ['no PE signature', PE, 2, 0, 'not_pe'],
  ['60,000 sections', PE + 6, 2, 60_000, 'limit'],
  ['513 sections', PE + 6, 2, 513, 'limit'],
  ['more sections than the headers hold', PE + 6, 2, 19, 'header_malformed'],
  ['SizeOfOptionalHeader too short by one', PE + 20, 2, 239, 'header_malformed'],
  ['SizeOfOptionalHeader too long by one', PE + 20, 2, 241, 'header_malformed'],
  ['an optional header of another kind', OPTIONAL, 2, 0x107, 'header_malformed'],
  ['SizeOfHeaders behind the end', OPTIONAL + 60, 4, 0x8_0000, 'truncated'],
  ['SizeOfHeaders beyond the limit', OPTIONAL + 60, 4, 0xffff_ffff, 'limit'],
  ['SizeOfHeaders before the section table ends', OPTIONAL + 60, 4, SECTIONS + 119, 'header_malformed'],
  ['SizeOfHeaders into the first section', OPTIONAL + 60, 4, 1025, 'section_overlap'],
  ['17 data directories', OPTIONAL + 108, 4, 17, 'limit'],
  ['15 data directories in room for 16', OPTIONAL + 108, 4, 15, 'header_malformed'],
  ['data directories that would wrap', OPTIONAL + 108, 4, 0xffff_ffff, 'limit'],
  ['a section that is not ASCII', SECTIONS, 2, 0x90ff, 'header_malformed'],
  ['a section whose memory wraps', SECTIONS + 8, 4, 0xffff_f001, 'section_range'],
  ['a section behind the end', SECTIONS + 20, 4, 0x1_0000, 'section_range'],
  ['a section whose file range wraps', SECTIONS + 16, 4, 0xffff_ffff, 'section_range'],
  ['a section one octet too long for the file', SECTIONS + 80 + 16, 4, 513, 'section_range'],
  ['a section over the next', SECTIONS + 16, 4, 1025, 'section_overlap'],
  ['a section in the headers', SECTIONS + 20, 4, 1023, 'section_overlap'],
  ['certificates outside the file', DIRECTORIES + 36, 4, 8, 'certificate_table'],
  ['certificates beyond the limit', DIRECTORIES + 36, 4, 0xffff_ffff, 'limit'],
];

for (const [what, offset, size, value, code] of MALFORMED) {
  test(`malformed: ${what}`, () => {
    const bytes = madeBytes();
    const view = new DataView(bytes.buffer);
    if (size === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
    assert.throws(() => openBytes(bytes), { name: 'PeError', code });
  });
}

test('a section may end exactly where 4 GiB of memory end', () => {
  const bytes = madeBytes();
  new DataView(bytes.buffer).setUint32(SECTIONS + 8, 0xffff_f000, true);
  const [first] = openBytes(bytes).sections;
  assert.equal(first?.virtualSize, 0xffff_f000);
});

test('every truncation of a file is a coded error', () => {
  const bytes = madeBytes();
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => openBytes(bytes.subarray(0, length)), { name: 'PeError' }, String(length));
  }
});

test('an error says where in the file it is', () => {
  const bytes = madeBytes();
  new DataView(bytes.buffer).setUint32(SECTIONS + 40 + 20, 0x1_0000, true);
  assert.throws(() => openBytes(bytes), { code: 'section_range', offset: SECTIONS + 40 });
});

test('what is no PE file is told without an exception', () => {
  assert.equal(isPe(memorySource(madeBytes())), true);
  assert.equal(isPe(memorySource(new Uint8Array(10))), false);
  assert.equal(isPe(memorySource(new Uint8Array(1000))), false);
});

test('overlap in memory, addresses outside the image and writable code are findings', () => {
  const bytes = madeBytes();
  const view = new DataView(bytes.buffer);
  view.setUint32(SECTIONS + 8, 4097, true);
  view.setUint32(SECTIONS + 36, 0xe000_0020, true);
  view.setUint32(SECTIONS + 80 + 8, 1_000_000, true);
  const findings = checkLayout(openBytes(bytes)).map(({ code, where }) => [code, where.path]);
  assert.deepEqual(findings, [
    ['section_writable_code', '.text'],
    ['sections_overlap', '.sbat'],
    ['section_outside_image', '.sdmagic'],
  ]);
});

test('the two digests differ for an unsigned file of odd length, and only there', () => {
  const bytes = madeBytes();
  for (let extra = 0; extra < 17; extra++) {
    const pe = openBytes(Uint8Array.from([...bytes, ...new Uint8Array(extra).fill(7)]));
    const covered = toHex(digestCoveredBySignature(pe, 'sha384'));
    const measured = toHex(digestMeasuredByFirmware(pe, 'sha384'));
    assert.equal(covered === measured, extra % 8 === 0, String(extra));
  }
});

test('the digest changes with every octet but CheckSum and the certificate entry', () => {
  const bytes = madeBytes();
  const covered = (): string => toHex(digestCoveredBySignature(openBytes(bytes), 'sha256'));
  const before = covered();
  const free = (at: number): boolean =>
    (at >= OPTIONAL + 64 && at < OPTIONAL + 68) || (at >= DIRECTORIES + 32 && at < DIRECTORIES + 40);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (at) => {
      const old = bytes[at] ?? 0;
      bytes[at] = old ^ 1;
      try {
        assert.equal(covered() === before, free(at));
      } catch (error) {
        // Some octets of the headers make it another kind of file.
        if (!(error instanceof Error && error.name === 'PeError')) throw error;
      } finally {
        bytes[at] = old;
      }
    }),
  );
});
