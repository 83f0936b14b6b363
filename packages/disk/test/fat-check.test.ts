// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { checkFat, openFat, planFat32 } from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { bytesOf, patternSource, readTestdata, SparseBytes, smallFat32, TIMESTAMP, textSource } from './support.ts';

const FAT = 32 * 512;
const DATA = FAT + 2 * 512;
/** Root 2, A 3, A/B 4, then A/B/file 5 and 6, z 7. FSInfo is that of the larger volume it was cut from. */
const SMALL = smallFat32([
  { path: 'A/B/file', content: patternSource(600) },
  { path: 'z', content: textSource('z') },
]);
const FREE_COUNT = 512 + 488;
new DataView(SMALL.buffer).setUint32(FREE_COUNT, 120, true);
new DataView(SMALL.buffer).setUint32(6 * 512 + 32, SMALL.length / 512, true);
new DataView(SMALL.buffer).setUint32(6 * 512 + 36, 1, true);

const codesOf = (bytes: Uint8Array): string[] => checkFat(openFat(memorySource(bytes))).map(({ code }) => code);

function changed(edit: (view: DataView) => void): Uint8Array {
  const bytes = SMALL.slice();
  edit(new DataView(bytes.buffer));
  return bytes;
}

/** In both tables. */
const withNext = (...pairs: readonly (readonly [cluster: number, next: number])[]): Uint8Array =>
  changed((view) => {
    for (const [cluster, next] of pairs)
      for (const fat of [FAT, FAT + 512]) view.setUint32(fat + 4 * cluster, next, true);
  });

test('a sound volume has no finding: ours, and those of mkfs.vfat and mtools', () => {
  assert.deepEqual(codesOf(SMALL), []);
  assert.deepEqual(codesOf(readTestdata('fat/fat12.img')), []);
  const ours = new SparseBytes();
  const members = [
    { path: 'loader/loader.conf', content: textSource('x') },
    { path: 'EFI/a long name.efi', content: textSource('') },
  ];
  planFat32({ members, sectorSize: 512, volumeId: 1, label: 'ESP', timestampSeconds: TIMESTAMP }).write(ours);
  assert.deepEqual(checkFat(openFat(ours)), []);
});

for (const [name, bytes, codes] of [
  ['a file that is its own next', withNext([5, 5]), ['chain_loop', 'clusters_lost']],
  ['a chain that loops over two', withNext([5, 6], [6, 5]), ['chain_length']],
  ['a directory that is its own next', withNext([3, 3]), ['chain_loop']],
  ['a file that goes on in another', withNext([5, 7]), ['cross_link', 'clusters_lost']],
  ['a directory that goes on in the root', withNext([3, 2]), ['cross_link']],
  ['a file that ends early', withNext([5, 0x0fffffff]), ['chain_length', 'clusters_lost']],
  ['a file that goes on', withNext([6, 8], [8, 0x0fffffff]), ['chain_length', 'clusters_lost', 'free_count']],
  ['a free cluster', withNext([5, 0]), ['chain_invalid', 'clusters_lost', 'free_count']],
  ['a bad cluster', withNext([5, 0x0ffffff7]), ['chain_invalid', 'clusters_lost']],
  ['a cluster behind the end', withNext([5, 128]), ['chain_invalid', 'clusters_lost']],
  ['clusters of nobody', withNext([20, 21], [21, 0x0fffffff]), ['clusters_lost', 'free_count']],
  ['tables that differ', changed((view) => view.setUint32(FAT + 512 + 4 * 20, 1, true)), ['table_differs']],
  ['a wrong count', changed((view) => view.setUint32(FREE_COUNT, 119, true)), ['free_count']],
  ['an FSInfo that is none', changed((view) => view.setUint32(512, 0, true)), ['free_count']],
  ['an unknown count is none', changed((view) => view.setUint32(FREE_COUNT, 0xffffffff, true)), []],
  ['a backup that differs', changed((view) => view.setUint32(6 * 512 + 67, 9, true)), ['boot_differs']],
  ['a volume in use, by the boot sector', changed((view) => view.setUint8(65, 1)), ['volume_dirty']],
  ['a volume in use, by the table', withNext([1, 0x07ffffff]), ['volume_dirty']],
  [
    'a name with a slash',
    changed((view) => view.setUint8(DATA + 2 * 32 + 1, 0x2f)),
    ['directory_malformed', 'clusters_lost'],
  ],
  ['a long name of another entry', changed((view) => view.setUint8(DATA + 2 * 512 + 64 + 13, 0)), ['name_orphan']],
] as const) {
  test(`${name}: ${codes.join(', ') || 'nothing'}`, () => assert.deepEqual(codesOf(bytes), codes));
}

test('two files of one chain', () => {
  // z is given the first cluster of A/B/file, and its size.
  const z = [...Array(16).keys()].map((i) => DATA + 32 * i).find((at) => SMALL[at] === 'Z'.charCodeAt(0)) as number;
  const bytes = changed((view) => {
    view.setUint16(z + 26, 5, true);
    view.setUint32(z + 28, 600, true);
  });
  assert.deepEqual(codesOf(bytes), ['cross_link', 'clusters_lost']);
});

test('two entries of one name', () => {
  const bytes = smallFat32([
    { path: 'AB', content: textSource('1') },
    { path: 'AC', content: textSource('2') },
  ]);
  const at = [...Array(16).keys()].map((i) => DATA + 32 * i).find((entry) => bytes[entry + 1] === 0x43) as number;
  bytes[at + 1] = 0x42;
  assert.ok(codesOf(bytes).includes('name_duplicate'));
});

test('changed octets never raise anything but our errors', () => {
  for (const original of [SMALL, readTestdata('fat/fat12.img')]) {
    for (let at = 0; at < original.length; at += at < 96 ? 1 : 61) {
      const bytes = original.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0xa5;
      try {
        codesOf(bytes);
      } catch (error) {
        assert.ok(isVouchsafeError(error), `octet ${at}: ${error}`);
      }
    }
  }
});

test('the volumes of mkfs.vfat and mtools, of every kind', needsTool('mkfs.vfat', 'mcopy'), (t) => {
  const folder = tempDir(t);
  for (const [bits, size] of [
    ['12', '2000'],
    ['16', '20000'],
    ['32', '40000'],
  ] as const) {
    const image = join(folder, `fat${bits}.img`);
    execFileSync('mkfs.vfat', ['-F', bits, '-C', image, size], { stdio: 'ignore' });
    execFileSync('mmd', ['-i', image, '::/EFI']);
    execFileSync('mcopy', ['-i', image, '-', '::/EFI/a long name of a file.efi'], { input: bytesOf('x'.repeat(5000)) });
    assert.ok(statSync(image).size > 0);
    using source = FileSource.open(image);
    assert.deepEqual(checkFat(openFat(source)), [], bits);
  }
});
