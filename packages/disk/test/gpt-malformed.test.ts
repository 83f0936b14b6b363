// SPDX-License-Identifier: Apache-2.0
// Internal: crc32.ts, to make headers that are wrong but for their checksums.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import {
  commonPartitionType,
  type GptFindingCode,
  layoutGpt,
  partitionUuidFromSeed,
  readGpt,
  requireGpt,
  writeGpt,
} from '@vouchsafe/disk';
import { crc32 } from '../src/crc32.ts';
import { SEED, withCode, written } from './support.ts';

const ESP = commonPartitionType('esp');
const part = (n: number) => ({ typeUuid: ESP, uuid: partitionUuidFromSeed(SEED, ESP, n), label: 'a', sizeBytes: 8192 });
const TABLE = layoutGpt({ sectorSize: 512, diskUuid: SEED, partitions: [part(1), part(2)] });
const SOUND = written((sink) => writeGpt(sink, TABLE));
const LAST = SOUND.length - 512;
/** The backup's entries. */
const BACKUP_ENTRIES = LAST - 32 * 512;

type Edit = (view: DataView) => void;

/** The sound disk, changed, and the checksums made right again in both copies. */
function resealed(edit: Edit): Uint8Array {
  const bytes = changed(edit);
  const view = new DataView(bytes.buffer);
  for (const [header, entries] of [
    [512, 1024],
    [LAST, BACKUP_ENTRIES],
  ] as const) {
    view.setUint32(header + 88, crc32(bytes.subarray(entries, entries + 128 * 128)), true);
    view.setUint32(header + 16, 0, true);
    const size = Math.min(view.getUint32(header + 12, true), 512);
    view.setUint32(header + 16, crc32(bytes.subarray(header, header + size)), true);
  }
  return bytes;
}

function changed(edit: Edit): Uint8Array {
  const bytes = SOUND.slice();
  edit(new DataView(bytes.buffer));
  return bytes;
}

/** A change of both copies of the entries, or of both headers. */
const inEntries =
  (edit: (view: DataView, at: number) => void): Edit =>
  (view) => {
    for (const at of [1024, BACKUP_ENTRIES]) edit(view, at);
  };
const inHeaders =
  (edit: (view: DataView, at: number) => void): Edit =>
  (view) => {
    for (const at of [512, LAST]) edit(view, at);
  };

const codesOf = (bytes: Uint8Array): GptFindingCode[] => [
  ...new Set(readGpt(memorySource(bytes), 512).findings.map(({ code }) => code)),
];

const FAULTS: readonly (readonly [string, GptFindingCode[], Uint8Array])[] = [
  ['nothing', [], resealed(() => {})],
  ['no master boot record', ['mbr_missing'], changed((view) => view.setUint8(510, 0))],
  ['a record that is not protective', ['mbr_not_protective'], changed((view) => view.setUint8(450, 0x83))],
  ['a hybrid master boot record', ['mbr_not_protective'], changed((view) => view.setUint8(466, 0x0c))],
  ['a protective record of another size', ['mbr_size'], changed((view) => view.setUint32(458, 7, true))],
  ['a protective record for any size', [], changed((view) => view.setUint32(458, 0xffffffff, true))],
  ['no primary header', ['header_missing'], changed((view) => view.setUint8(512, 0))],
  ['no backup header', ['header_missing'], changed((view) => view.setUint8(LAST, 0))],
  ['a changed header', ['header_crc'], changed((view) => view.setUint8(512 + 60, 1))],
  ['changed entries', ['entries_crc'], changed((view) => view.setUint8(1024 + 60, 1))],
  ['changed entries of the backup', ['entries_crc'], changed((view) => view.setUint8(BACKUP_ENTRIES + 60, 1))],
  ['another revision', ['header_invalid'], resealed(inHeaders((view, at) => view.setUint32(at + 8, 0x20000, true)))],
  ['a short header', ['header_invalid'], resealed(inHeaders((view, at) => view.setUint32(at + 12, 91, true)))],
  [
    'a header of more than a sector',
    ['header_invalid'],
    resealed(inHeaders((view, at) => view.setUint32(at + 12, 513, true))),
  ],
  ['a header of all its sector', [], resealed(inHeaders((view, at) => view.setUint32(at + 12, 512, true)))],
  ['reserved octets in use', ['header_reserved'], resealed(inHeaders((view, at) => view.setUint8(at + 100, 1)))],
  ['a reserved field in use', ['header_reserved'], resealed(inHeaders((view, at) => view.setUint8(at + 20, 1)))],
  ['a header of another place', ['header_place'], resealed((view) => view.setUint32(512 + 24, 2, true))],
  ['entries of 96 octets', ['header_invalid'], resealed(inHeaders((view, at) => view.setUint32(at + 84, 96, true)))],
  ['entries of 64 octets', ['header_invalid'], resealed(inHeaders((view, at) => view.setUint32(at + 84, 64, true)))],
  ['no entries', ['header_invalid'], resealed(inHeaders((view, at) => view.setUint32(at + 80, 0, true)))],
  ['2^31 entries', ['entries_limit'], resealed(inHeaders((view, at) => view.setUint32(at + 80, 2 ** 31, true)))],
  ['32769 entries', ['entries_limit'], resealed(inHeaders((view, at) => view.setUint32(at + 80, 32769, true)))],
  [
    '32768 entries on a small disk',
    ['entries_range'],
    resealed(inHeaders((view, at) => view.setUint32(at + 80, 32768, true))),
  ],
  [
    'entries in the partitions',
    ['entries_range'],
    resealed(inHeaders((view, at) => view.setUint32(at + 72, 40, true))),
  ],
  [
    'entries beyond any disk',
    ['entries_range'],
    resealed(inHeaders((view, at) => view.setUint32(at + 76, 2 ** 31, true))),
  ],
  ['another backup', ['backup_differs'], resealed((view) => view.setUint8(BACKUP_ENTRIES + 56, 'b'.charCodeAt(0)))],
  ['another disk UUID in the backup', ['backup_differs'], resealed((view) => view.setUint8(LAST + 56, 1))],
  [
    'a last usable block behind the end',
    ['usable_range'],
    resealed((view) => view.setUint32(512 + 48, TABLE.sectors - 1, true)),
  ],
  [
    'a partition that ends before it begins',
    ['partition_size'],
    resealed(inEntries((view, at) => view.setUint32(at + 40, 39, true))),
  ],
  [
    'a partition in the table',
    ['partition_range'],
    resealed(inEntries((view, at) => view.setUint32(at + 32, 33, true))),
  ],
  [
    'a partition at the far end of 64 bits',
    ['partition_range'],
    resealed(inEntries((view, at) => view.setBigUint64(at + 128 + 40, 2n ** 64n - 1n, true))),
  ],
  [
    'overlapping partitions',
    ['partition_overlap'],
    resealed(inEntries((view, at) => view.setUint32(at + 40, 56, true))),
  ],
  ['partitions side by side', [], resealed(inEntries((view, at) => view.setUint32(at + 40, 55, true)))],
  [
    'one UUID twice',
    ['uuid_duplicate'],
    resealed(
      inEntries((view, at) => {
        for (let i = 16; i < 32; i += 4) view.setUint32(at + 128 + i, view.getUint32(at + i));
      }),
    ),
  ],
  [
    'a label with something behind its end',
    ['label_invalid'],
    resealed(inEntries((view, at) => view.setUint8(at + 56 + 70, 65))),
  ],
  ['a reserved attribute', ['attribute_unknown'], resealed(inEntries((view, at) => view.setUint8(at + 48, 8)))],
];

for (const [what, expected, bytes] of FAULTS) {
  test(`finding: ${what}`, () => {
    const codes = codesOf(bytes);
    for (const code of expected) assert.ok(codes.includes(code), `${code} in ${codes.join()}`);
    const extra = codes.filter((code) => !expected.includes(code) && code !== 'backup_differs');
    assert.deepEqual(extra, []);
  });
}

test('with the primary gone the backup is used, and nothing is repaired', () => {
  const bytes = changed((view) => view.setUint8(512 + 60, 1));
  const before = bytes.slice();
  const report = readGpt(memorySource(bytes));
  assert.equal(report.copy, 'backup');
  assert.deepEqual(report.table, TABLE);
  assert.deepEqual(bytes, before);
  assert.throws(() => requireGpt(memorySource(bytes)), withCode('gpt_damaged'));
});

test('with both gone there is no table; with no header at all, no GPT', () => {
  const both = changed(inHeaders((view, at) => view.setUint8(at + 60, 1)));
  assert.equal(readGpt(memorySource(both)).table, undefined);
  assert.throws(() => requireGpt(memorySource(both)), withCode('gpt_damaged'));
  const none = changed(inHeaders((view, at) => view.setUint8(at, 0)));
  assert.throws(() => readGpt(memorySource(none)), withCode('gpt_missing'));
  assert.throws(() => readGpt(memorySource(new Uint8Array(0))), withCode('gpt_missing'));
});

test('a disk that grew: the backup is found where the primary says', () => {
  const grown = new Uint8Array(SOUND.length + 4096);
  grown.set(SOUND);
  const { findings, table } = readGpt(memorySource(grown));
  assert.deepEqual(findings.map(({ code }) => code).sort(), ['backup_place', 'mbr_size']);
  assert.equal(table?.partitions.length, 2);
});

test('every truncation is a finding or an error of ours', () => {
  for (let length = 0; length < SOUND.length; length += 97) {
    try {
      const { findings } = readGpt(memorySource(SOUND.slice(0, length)));
      assert.ok(findings.length > 0, `${length} octets`);
    } catch (error) {
      assert.ok(isVouchsafeError(error), `${error}`);
    }
  }
});

test('every octet of the table counts', () => {
  for (let at = 440; at < 1024 + 256; at++) {
    const isBootRecord = at < 512;
    // The places that nothing says, and those of the first record that nobody reads.
    if (isBootRecord && (at < 446 || (at > 446 && at < 450) || (at > 450 && at < 454) || (at > 461 && at < 510)))
      continue;
    if (at === 446) continue;
    const bytes = changed((view) => view.setUint8(at, view.getUint8(at) ^ 0x55));
    let found = 1;
    try {
      found = readGpt(memorySource(bytes), 512).findings.length;
    } catch (error) {
      assert.ok(isVouchsafeError(error));
    }
    assert.ok(found > 0, `octet ${at}`);
  }
});
