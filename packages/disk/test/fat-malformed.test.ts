// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { findFatEntry, listFat, openFat, openFatFile } from '@vouchsafe/disk';
import { patternSource, readTestdata, smallFat32, textSource, withCode } from './support.ts';

const FAT = 32 * 512;
const DATA = FAT + 2 * 512;
/** Root 2, A 3, A/B 4, then A/B/file 5 and 6, z 7. */
const SMALL = smallFat32([
  { path: 'A/B/file', content: patternSource(600) },
  { path: 'z', content: textSource('z') },
]);

function changed(edit: (view: DataView) => void): Uint8Array {
  const bytes = SMALL.slice();
  edit(new DataView(bytes.buffer));
  return bytes;
}
const withNext = (cluster: number, next: number): Uint8Array =>
  changed((view) => view.setUint32(FAT + 4 * cluster, next, true));

/** Reads everything there is. */
function walk(bytes: Uint8Array): string[] {
  const volume = openFat(memorySource(bytes));
  return [...listFat(volume)].map((entry) => {
    if (entry.kind === 'file') readBytes(openFatFile(volume, entry), 0, entry.sizeBytes);
    return entry.path;
  });
}

test('the volume as it is', () => {
  assert.deepEqual(walk(SMALL), ['A', 'A/B', 'A/B/file', 'z']);
  const volume = openFat(memorySource(SMALL));
  assert.deepEqual([volume.kind, volume.clusterCount], ['fat32', 126]);
  assert.equal(findFatEntry(volume, 'A/B/file').firstCluster, 5);
});

test('what is not there', () => {
  const volume = openFat(memorySource(SMALL));
  assert.throws(() => findFatEntry(volume, 'A/C'), withCode('not_found'));
  assert.throws(() => findFatEntry(volume, '/'), withCode('not_found'));
  assert.throws(() => findFatEntry(volume, 'z/a'), withCode('not_a_file'));
  assert.throws(() => openFatFile(volume, findFatEntry(volume, 'A')), withCode('not_a_file'));
});

test('boot sectors that are none', () => {
  const cases: ((view: DataView) => void)[] = [
    (view) => view.setUint8(510, 0),
    (view) => view.setUint16(11, 0, true),
    (view) => view.setUint16(11, 513, true),
    (view) => view.setUint16(11, 8192, true),
    (view) => view.setUint8(13, 0),
    (view) => view.setUint8(13, 3),
    (view) => view.setUint16(14, 0, true),
    (view) => view.setUint8(16, 0),
    (view) => view.setUint8(16, 255),
  ];
  for (const edit of cases) assert.throws(() => openFat(memorySource(changed(edit))), withCode('fat_missing'));
  assert.throws(() => openFat(memorySource(SMALL.slice(0, 511))), withCode('fat_missing'));
  assert.throws(() => openFat(memorySource(new Uint8Array(0))), withCode('fat_missing'));
});

test('boot sectors that lie', () => {
  const sectors = SMALL.length / 512;
  const cases: ((view: DataView) => void)[] = [
    (view) => view.setUint32(32, sectors + 1, true),
    (view) => view.setUint32(32, 34, true),
    (view) => view.setUint32(36, 0, true),
    (view) => view.setUint32(36, 2 ** 32 - 1, true),
    (view) => view.setUint16(17, 16, true),
    (view) => view.setUint16(14, 65535, true),
    (view) => view.setUint16(40, 0x8f, true),
    (view) => view.setUint16(42, 1, true),
    (view) => view.setUint8(16, 1) ?? view.setUint16(14, 31, true),
  ];
  for (const [i, edit] of cases.entries()) {
    assert.throws(() => openFat(memorySource(changed(edit))), withCode('fat_malformed'), `case ${i}`);
  }
  assert.throws(() => openFat(memorySource(SMALL.slice(0, -1))), withCode('fat_malformed'));
});

test('chains that loop, end early or late, or leave the volume', () => {
  const cases: [string, Uint8Array][] = [
    ['a root that is its own next', withNext(2, 2)],
    ['a directory that goes on in the root', withNext(3, 2)],
    ['a file that is its own next', withNext(5, 5)],
    ['a file that ends early', withNext(5, 0x0fffffff)],
    ['a file that goes on', withNext(6, 7)],
    ['a free cluster', withNext(5, 0)],
    ['cluster 1', withNext(5, 1)],
    ['a bad cluster', withNext(5, 0x0ffffff7)],
    ['the first cluster behind the end', withNext(5, 128)],
    ['a root behind the end', changed((view) => view.setUint32(44, 128, true))],
    ['a root at cluster 0', changed((view) => view.setUint32(44, 0, true))],
  ];
  for (const [what, bytes] of cases) assert.throws(() => walk(bytes), withCode('fat_malformed'), what);
  // The upper four bits mean nothing.
  assert.equal(walk(withNext(6, 0xffffffff)).length, 4);
});

test('a directory that holds itself, and a file larger than the volume', () => {
  // A's third entry, behind "." and "..", is B; it is made to lead back to A.
  const entry = DATA + 512 + 64;
  const own = changed((view) => view.setUint16(entry + 26, 3, true));
  assert.throws(() => walk(own), withCode('fat_malformed'));
  assert.throws(() => findFatEntry(openFat(memorySource(own)), 'A/B/B/B'), withCode('fat_malformed'));
  const file = DATA + 2 * 512 + 64 + 32;
  assert.throws(() => walk(changed((view) => view.setUint32(file + 28, 2 ** 32 - 1, true))), withCode('fat_malformed'));
});

test('names that would climb out are refused', () => {
  // z is in the root behind the label and A; its one letter becomes others.
  const at = DATA + 2 * 32;
  const slash = changed((view) => view.setUint8(at + 32, '/'.charCodeAt(0)));
  const isLong = SMALL[at + 11] === 0x0f;
  assert.ok(isLong || SMALL[at] === 'Z'.charCodeAt(0));
  const target = isLong ? changed((view) => view.setUint8(at + 1, '/'.charCodeAt(0))) : slash;
  assert.throws(() => walk(target), withCode('fat_malformed'));
});

test('a long name whose parts are not in order, or of another entry, is passed over', () => {
  const at = DATA + 2 * 512 + 64; // "file" has one part
  for (const edit of [
    (view: DataView) => view.setUint8(at + 13, view.getUint8(at + 13) ^ 1),
    (view: DataView) => view.setUint8(at, 0x42),
    (view: DataView) => view.setUint8(at, 0x01),
    (view: DataView) => view.setUint8(at, 0x7f),
  ]) {
    assert.deepEqual(walk(changed(edit)), ['A', 'A/B', 'A/B/FILE', 'z']);
  }
});

test('changed octets never raise anything but our errors', () => {
  for (const original of [SMALL, readTestdata('fat/fat12.img')]) {
    for (let at = 0; at < original.length; at += at < 96 ? 1 : 127) {
      const bytes = original.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0xa5;
      try {
        walk(bytes);
      } catch (error) {
        assert.ok(isVouchsafeError(error), `octet ${at}: ${error}`);
      }
    }
  }
});

test('every truncation is an error', () => {
  for (let length = 0; length < SMALL.length; length += 131) {
    assert.throws(
      () => walk(SMALL.slice(0, length)),
      (error) => isVouchsafeError(error),
      `${length} octets`,
    );
  }
});
