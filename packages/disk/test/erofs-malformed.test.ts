// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { type DiskErrorCode, erofsTree, listErofs, openErofs, planErofsImage, type TreeEntry } from '@vouchsafe/disk';
import { at, directory, file } from './erofs-tree.ts';
import { bytesOf, SEED, TIMESTAMP, withCode, written } from './support.ts';

/** Small, and without a checksum, so that a change is seen by what reads the changed field. */
function imageOf(...entries: TreeEntry[]): Uint8Array {
  const tree = [directory(''), ...entries];
  const bytes = written((sink) => planErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP }).write(sink));
  bytes[SUPERBLOCK + 8] = 0;
  return bytes;
}

const SUPERBLOCK = 1024;
/** Where metadata begins in SMALL: behind a block of d/f. */
const META = 8192;
const xattrs = [{ name: 'user.a', value: bytesOf('value') }];
const SMALL = imageOf(
  directory('d'),
  file('d/f', 5000, { xattrs }),
  file('e', 20),
  { kind: 'symlink', target: 'e', ...at('link') },
  { kind: 'hardlink', path: 'm', target: 'e' },
);
/** Where inodes are, from the start of the image. */
function placesOf(bytes: Uint8Array): ReadonlyMap<string, number> {
  const volume = openErofs(memorySource(bytes));
  return new Map(
    [...listErofs(volume)].map(({ path, inode: { nid } }) => [path, volume.layout.metaOffset + nid * 32] as const),
  );
}
const PLACES = placesOf(SMALL);
const nidOf = (path: string): bigint => BigInt(((PLACES.get(path) as number) - META) / 32);

function changed(edit: (view: DataView) => void, original = SMALL): Uint8Array {
  const bytes = original.slice();
  edit(new DataView(bytes.buffer));
  return bytes;
}
const inode = (path: string, edit: (view: DataView) => void): Uint8Array =>
  changed((view) => edit(new DataView(view.buffer, PLACES.get(path))));

/** Reads everything there is. */
function walk(bytes: Uint8Array): string[] {
  return [...erofsTree(openErofs(memorySource(bytes)))].map((entry) => {
    if (entry.kind === 'file') readBytes(entry.content, 0, Math.min(entry.content.size, 1_000_000));
    return entry.path;
  });
}

test('the image as it is', () => {
  assert.deepEqual(walk(SMALL), ['', 'd', 'd/f', 'e', 'link', 'm']);
  assert.equal(openErofs(memorySource(SMALL)).layout.metaOffset, META);
});

test('superblocks', () => {
  const cases: readonly (readonly [DiskErrorCode, (view: DataView) => void])[] = [
    ['erofs_missing', (view) => view.setUint8(SUPERBLOCK, 0)],
    // The checksum that was there is that of a superblock with this bit.
    ['erofs_malformed', (view) => view.setUint8(SUPERBLOCK + 8, 3) ?? view.setUint8(SUPERBLOCK + 24, 9)],
    ['erofs_malformed', (view) => view.setUint8(SUPERBLOCK + 12, 8)],
    ['erofs_malformed', (view) => view.setUint8(SUPERBLOCK + 12, 17)],
    ['erofs_malformed', (view) => view.setUint16(SUPERBLOCK + 14, 0xffff, true)],
    ['erofs_malformed', (view) => view.setBigUint64(SUPERBLOCK + 16, 2n ** 53n, true)],
    ['erofs_malformed', (view) => view.setUint32(SUPERBLOCK + 36, 5, true)],
    ['erofs_malformed', (view) => view.setUint32(SUPERBLOCK + 36, 0xffffffff, true)],
    ['erofs_malformed', (view) => view.setUint32(SUPERBLOCK + 36, 0, true)],
    ['erofs_malformed', (view) => view.setUint32(SUPERBLOCK + 40, 4, true)],
    ['erofs_malformed', (view) => view.setUint32(SUPERBLOCK + 44, 4, true)],
    ['erofs_malformed', (view) => view.setUint8(SUPERBLOCK + 64, 0xff)],
    ...[0x80, 0x100, 0x200, 0x80000000].map(
      (bit) => ['erofs_unsupported', (view: DataView) => view.setUint32(SUPERBLOCK + 80, bit, true)] as const,
    ),
    ['erofs_unsupported', (view) => view.setUint16(SUPERBLOCK + 86, 1, true)],
    ['erofs_unsupported', (view) => view.setUint8(SUPERBLOCK + 90, 1)],
  ];
  for (const [i, [code, edit]] of cases.entries()) {
    assert.throws(() => walk(changed(edit)), withCode(code), `case ${i}`);
  }
});

test('inodes', () => {
  const cases: readonly (readonly [DiskErrorCode, Uint8Array])[] = [
    ['erofs_unsupported', inode('e', (view) => view.setUint16(0, 0x10, true))],
    ['erofs_unsupported', inode('e', (view) => view.setUint16(0, 5 << 1, true))],
    ['erofs_unsupported', inode('e', (view) => view.setUint16(0, 7 << 1, true))],
    ['erofs_malformed', inode('e', (view) => view.setUint16(2, 0xffff, true))],
    ['erofs_malformed', inode('e', (view) => view.setUint16(4, 0o150644, true))],
    // A kind that the directory does not say.
    ['erofs_malformed', inode('e', (view) => view.setUint16(4, 0o010644, true))],
    // No regular file, so that the directory cannot be the root.
    ['erofs_malformed', inode('', (view) => view.setUint16(4, 0o100644, true))],
    // A tail that does not end in its block.
    ['erofs_malformed', inode('e', (view) => view.setUint32(8, 4090, true))],
    // Blocks beyond the image, by number and by size.
    ['erofs_malformed', inode('d/f', (view) => view.setUint32(16, 0xfffffffe, true))],
    ['erofs_malformed', inode('d/f', (view) => view.setUint32(8, 0xfffff000, true))],
    // More shared attributes than octets.
    ['erofs_malformed', inode('d/f', (view) => view.setUint8(36, 255))],
    // A prefix, a name and a value that are none.
    ['erofs_malformed', inode('d/f', (view) => view.setUint8(45, 77))],
    ['erofs_malformed', inode('d/f', (view) => view.setUint8(45, 0x80))],
    ['erofs_malformed', inode('d/f', (view) => view.setUint8(44, 200))],
    ['erofs_malformed', inode('d/f', (view) => view.setUint16(46, 0xffff, true))],
    // Chunks: a format, and a table, that cannot be.
    ['erofs_unsupported', inode('e', (view) => view.setUint16(0, 4 << 1, true) ?? view.setUint32(16, 0x40, true))],
    ['erofs_malformed', inode('e', (view) => view.setUint16(0, 4 << 1, true) ?? view.setUint32(8, 0xffffffff, true))],
  ];
  for (const [i, [code, bytes]] of cases.entries()) assert.throws(() => walk(bytes), withCode(code), `case ${i}`);
});

test('sizes of 2^53 and more, and times', () => {
  const late = imageOf(file('e', 20, { mtimeSeconds: 5 }));
  const place = placesOf(late).get('e') as number;
  for (const size of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 40n]) {
    assert.throws(
      () => walk(changed((view) => view.setBigUint64(place + 8, size, true), late)),
      withCode('erofs_malformed'),
    );
  }
  for (const time of [2n ** 53n, 2n ** 63n]) {
    const bytes = changed((view) => view.setBigUint64(place + 32, time, true), late);
    assert.throws(() => walk(bytes), withCode('erofs_malformed'));
  }
  const before = changed((view) => view.setBigInt64(place + 32, -5n, true), late);
  const [, entry] = [...erofsTree(openErofs(memorySource(before)))];
  assert.equal(entry?.kind === 'file' && entry.mtimeSeconds, -5);
  assert.throws(
    () => walk(changed((view) => view.setUint32(place + 40, 1e9, true), late)),
    withCode('erofs_malformed'),
  );
});

/** The directory's entries are behind its inode. */
const entries = (path: string): number => (PLACES.get(path) as number) + 32;

test('directories', () => {
  const d = entries('d');
  const root = entries('');
  const edit = (change: (view: DataView) => void): Uint8Array => changed(change);
  const cases: readonly Uint8Array[] = [
    // d/. is another, d/.. is another, d/f is the root, the root's d is the root.
    edit((view) => view.setBigUint64(d, 99n, true)),
    edit((view) => view.setBigUint64(d + 12, 99n, true)),
    edit((view) => view.setBigUint64(d + 24, nidOf(''), true) ?? view.setUint8(d + 34, 2)),
    edit((view) => view.setBigUint64(root + 24, nidOf(''), true)),
    // Inodes outside: beyond the end, and where a 64-bit offset would wrap.
    ...[512n, 2n ** 32n, 2n ** 53n, 2n ** 59n, 2n ** 64n - 1n].map((nid) =>
      edit((view) => view.setBigUint64(d + 24, nid, true)),
    ),
    // Names: none at all, of no entries, not behind the entries, backwards, empty.
    ...[0, 11, 13, 37, 200].map((offset) => edit((view) => view.setUint16(d + 8, offset, true))),
    edit((view) => view.setUint16(d + 20, 36, true)),
    edit((view) => view.setUint16(d + 20, 4000, true)),
    edit((view) => view.setUint16(d + 32, 37, true)),
    // '/' and NUL in a name, and names out of order.
    edit((view) => view.setUint8(d + 39, 0x2f)),
    edit((view) => view.setUint8(d + 39, 0)),
    edit((view) => view.setUint8(d + 39, 0x2d)),
    // A directory that is shorter than one entry.
    inode('d', (view) => view.setUint32(8, 11, true)),
    inode('d', (view) => view.setUint32(8, 0, true)),
  ];
  for (const [i, bytes] of cases.entries()) {
    assert.throws(() => walk(bytes), withCode('erofs_malformed'), `case ${i}`);
  }
});

test('a directory under two names', () => {
  const two = imageOf(directory('a'), directory('b'));
  const first = (placesOf(two).get('') as number) + 32;
  // The root's entries are '.', '..', a, b: b becomes a.
  const bytes = changed((view) => view.setBigUint64(first + 36, view.getBigUint64(first + 24, true), true), two);
  assert.throws(() => walk(bytes), withCode('erofs_malformed'));
});

test('links', () => {
  const bytes = imageOf({ kind: 'symlink', target: 'target', ...at('l') });
  const place = placesOf(bytes).get('l') as number;
  assert.throws(() => walk(changed((view) => view.setUint32(place + 8, 0, true), bytes)), withCode('erofs_malformed'));
  assert.throws(
    () => walk(changed((view) => view.setUint32(place + 8, 4096, true), bytes)),
    withCode('erofs_malformed'),
  );
  assert.throws(() => walk(changed((view) => view.setUint8(place + 33, 0), bytes)), withCode('erofs_malformed'));
  assert.throws(() => walk(changed((view) => view.setUint8(place + 33, 0xff), bytes)), withCode('name_invalid'));
});

test('more names of a file than its link count says', () => {
  const bytes = inode('e', (view) => view.setUint16(6, 1, true));
  const kinds = [...erofsTree(openErofs(memorySource(bytes)))].map(({ kind }) => kind);
  assert.equal(kinds.at(-1), 'hardlink');
});

test('every length but the whole one, and whatever is changed, is a coded error or a tree', () => {
  for (let length = 0; length < SMALL.length; length += length < 2000 ? 1 : 509) {
    const code: DiskErrorCode = length < SUPERBLOCK + 128 ? 'erofs_missing' : 'erofs_malformed';
    assert.throws(() => walk(SMALL.subarray(0, length)), withCode(code), `${length} octets`);
  }
  assert.deepEqual(walk(new Uint8Array([...SMALL, 1])), walk(SMALL));
  const places = [...Array(128).keys(), ...Array(1100).keys()];
  for (const [i, octet] of places.entries()) {
    const offset = octet + (i < 128 ? SUPERBLOCK : META);
    for (const value of [0, 1, 0x7f, 0xff]) {
      try {
        walk(changed((view) => view.setUint8(offset, value)));
      } catch (error) {
        assert.ok(isVouchsafeError(error), `octet ${offset} as ${value}: ${error}`);
      }
    }
  }
});
