// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type ByteSource, memorySource, readBytes } from '@vouchsafe/bytes';
import { decodeAt } from '@vouchsafe/codec';
import {
  type ErofsRequest,
  erofsTree,
  findErofsEntry,
  listErofs,
  openErofs,
  planErofsImage,
  type TreeAttributes,
  type TreeEntry,
} from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { DIRENT_BYTES, erofsDirent } from '../src/erofs/structures.ts';
import { at, contentOf, directory, file, likeFolder, summaryOf, TREE } from './erofs-tree.ts';
import { bytesOf, patternSource, SEED, SparseBytes, TIMESTAMP, withCode, writeFile, written } from './support.ts';

const request = (overrides: Partial<ErofsRequest> = {}): ErofsRequest => ({
  tree: TREE,
  uuid: SEED,
  timestampSeconds: TIMESTAMP,
  label: 'root',
  ...overrides,
});
const image = (overrides: Partial<ErofsRequest> = {}): Uint8Array =>
  written((sink) => planErofsImage(request(overrides)).write(sink));

test('fsck.erofs extracts everything as it was', needsTool('fsck.erofs'), (t) => {
  const dir = tempDir(t);
  const path = writeFile(join(dir, 'image'), (sink) => planErofsImage(request()).write(sink));
  const out = join(dir, 'out');
  const options = [`--extract=${out}`, '--preserve-perms', '--no-preserve-owner'];
  const fsck = spawnSync('fsck.erofs', [...options, path], { encoding: 'utf8' });
  assert.deepEqual([fsck.status, fsck.stderr], [0, '']);
  for (const entry of TREE) {
    const place = join(out, entry.path);
    const stats = lstatSync(place);
    if (entry.kind === 'hardlink') assert.ok(readFileSync(place).equals(readFileSync(join(out, entry.target))));
    if (entry.kind === 'file') assert.ok(readFileSync(place).equals(contentOf(entry.content)), entry.path);
    if (entry.kind === 'symlink') assert.equal(readlinkSync(place), entry.target);
    if (entry.kind === 'fifo') assert.ok(stats.isFIFO());
    if (entry.kind === 'socket') assert.ok(stats.isSocket());
    if (entry.kind === 'file' || entry.kind === 'directory') assert.equal(stats.mode & 0o7777, entry.mode, entry.path);
    if (entry.kind === 'file') assert.equal(Math.floor(stats.mtimeMs / 1000), entry.mtimeSeconds, entry.path);
  }
  assert.equal(readdirSync(join(out, 'many')).length, 1500);
  assert.equal(readdirSync(out).length, 9);
});

test('dump.erofs shows what was asked for', needsTool('dump.erofs'), (t) => {
  const path = writeFile(join(tempDir(t), 'image'), (sink) => planErofsImage(request()).write(sink));
  const superblock = execFileSync('dump.erofs', ['-s', path], { encoding: 'utf8' });
  assert.match(superblock, new RegExp(`UUID: +${SEED}`));
  assert.match(superblock, new RegExp(`inode count: +${TREE.length - 2}\\n`));
  assert.match(superblock, /features: +sb_csum mtime/);
  const show = (name: string): string => execFileSync('dump.erofs', [`--path=${name}`, path], { encoding: 'utf8' });
  assert.match(show('/etc/large-ids'), /Uid: 70000 +Gid: 4000000000/);
  assert.match(show('/etc/large-ids'), /Inode size: 64/);
  assert.match(show('/etc/one'), /Inode size: 32/);
  assert.match(show('/etc/4096'), /Links: 3/);
  assert.match(show('/etc'), /Uid: 5 /);
  assert.match(show('/etc/xattrs'), /Xattr size: 1\d\d/);
  assert.match(show('/'), /Links: 6/);
});

test('the checksum is over the first block from the superblock on', needsTool('fsck.erofs'), (t) => {
  const bytes = image();
  const path = join(tempDir(t), 'image');
  // fsck.erofs 1.5 complains of a wrong checksum, and ends with 0 all the same.
  const complaint = (): string => {
    writeFile(path, (sink) => sink.write(0, bytes));
    return spawnSync('fsck.erofs', [path], { encoding: 'utf8' }).stderr;
  };
  assert.equal(complaint(), '');
  for (const place of [1024 + 24, 2000, 4095]) {
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    assert.match(complaint(), /superblock chksum/, `octet ${place}`);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
  }
});

test('the size is known before anything is written', () => {
  const bytes = image();
  assert.equal(bytes.length, planErofsImage(request()).sizeBytes);
});

test('entries that make no tree', () => {
  const trees: TreeEntry[][] = [
    [],
    [file('', 1)],
    [directory(''), file('a/b', 1)],
    [directory(''), file('a', 1), file('a/b', 1)],
    [directory(''), file('a', 1), file('a', 1)],
    [directory(''), { kind: 'hardlink', path: 'a', target: 'b' }],
    [directory(''), directory('d'), { kind: 'hardlink', path: 'a', target: 'd' }],
    [directory(''), file('f', 1), { kind: 'hardlink', path: 'f', target: 'f' }],
    [directory(''), { kind: 'hardlink', path: 'a', target: 'b' }, { kind: 'hardlink', path: 'b', target: 'a' }],
  ];
  for (const [i, tree] of trees.entries()) {
    assert.throws(() => planErofsImage(request({ tree })), withCode('tree_invalid'), `tree ${i}`);
  }
});

test('names, attributes and options out of range', () => {
  const plan =
    (...entries: TreeEntry[]) =>
    () =>
      planErofsImage(request({ tree: [directory(''), ...entries] }));
  for (const bad of ['/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a\0', '\ud800', 'x'.repeat(256), 'é'.repeat(128)]) {
    assert.throws(plan(file(bad, 1)), withCode('name_invalid'), bad);
  }
  plan(file('x'.repeat(255), 1))();
  for (const bad of [
    { mode: 0o10000 },
    { uid: -1 },
    { gid: 2 ** 32 },
    { mtimeSeconds: -1 },
    { mtimeNanoseconds: 1e9 },
  ]) {
    assert.throws(plan(file('a', 1, bad)), withCode('options_invalid'), JSON.stringify(bad));
  }
  const device = (major: number, minor: number): TreeEntry => ({ kind: 'block', device: { major, minor }, ...at('d') });
  plan(device(4095, 1048575))();
  assert.throws(plan(device(4096, 0)), withCode('options_invalid'));
  assert.throws(plan(device(0, 1048576)), withCode('options_invalid'));
  for (const target of ['', 'a\0b', 'x'.repeat(4096)]) {
    assert.throws(plan({ kind: 'symlink', target, ...at('l') }), withCode('name_invalid'));
  }
  for (const name of ['user.', 'lustre.a', 'system.posix_acl_accessx', 'a', `user.${'x'.repeat(256)}`]) {
    assert.throws(plan(file('a', 1, { xattrs: [{ name, value: bytesOf('') }] })), withCode('name_invalid'), name);
  }
  const large = { name: 'user.a', value: new Uint8Array(65536) };
  assert.throws(plan(file('a', 1, { xattrs: [large] })), withCode('limit'));
  const many = Array.from({ length: 5 }, (_, i) => ({ name: `user.${i}`, value: new Uint8Array(60_000) }));
  assert.throws(plan(file('a', 1, { xattrs: many })), withCode('limit'));
  const twice = { name: 'user.a', value: bytesOf('') };
  assert.throws(plan(file('a', 1, { xattrs: [twice, twice] })), withCode('tree_invalid'));
  assert.throws(() => planErofsImage(request({ timestampSeconds: -1 })), withCode('options_invalid'));
  assert.throws(() => planErofsImage(request({ uuid: 'x' })), withCode('options_invalid'));
  assert.throws(() => planErofsImage(request({ label: 'x'.repeat(17) })), withCode('name_invalid'));
});

test('a file of more than 4 GiB with holes, at an offset', () => {
  const size = 5 * 2 ** 30 + 3;
  const sparse: ByteSource = {
    size,
    label: 'sparse',
    read: (_, target) => void target.fill(7),
    dataExtents: () => [{ start: 4096, end: 8192 }],
  };
  const plan = planErofsImage(request({ tree: [directory(''), { kind: 'file', content: sparse, ...at('large') }] }));
  const out = new SparseBytes();
  plan.write(out, 4096);
  // The superblock, the data but for its end, and the inodes with that end.
  assert.equal(plan.sizeBytes, 4096 + 5 * 2 ** 30 + 4096);
  assert.equal(out.size, plan.sizeBytes + 4096);
  assert.deepEqual(readBytes(out, 3 * 4096, 1), Uint8Array.of(7));
});

test('a directory of 100,000 names', needsTool('fsck.erofs'), (t) => {
  const empty = patternSource(0);
  const entries = Array.from(
    { length: 100_000 },
    (_, i): TreeEntry => ({ kind: 'file', content: empty, ...at(`f${i}`) }),
  );
  const path = writeFile(join(tempDir(t), 'image'), (sink) => {
    planErofsImage(request({ tree: [directory(''), ...entries] })).write(sink);
  });
  const fsck = spawnSync('fsck.erofs', [path], { encoding: 'utf8' });
  assert.deepEqual([fsck.status, fsck.stderr], [0, '']);
});

test('files with the same content have the same blocks', needsTool('fsck.erofs'), (t) => {
  const content = (size: number) => patternSource(size, 5);
  const same = (path: string, size: number, overrides: Partial<TreeAttributes> = {}): TreeEntry => ({
    kind: 'file',
    content: content(size),
    ...at(path, overrides),
  });
  const tree = [
    directory(''),
    same('a', 50_000),
    same('b', 50_000, { mode: 0o600, uid: 70_000 }),
    // As large, and only the last octet is another.
    { kind: 'file', ...at('c'), content: { ...content(50_000), read: lastOctetChanged(50_000) } } as TreeEntry,
    same('d', 49_999),
    // Its end does not fit behind its inode, where that of the others is.
    same('e', 50_000, { xattrs: [{ name: 'user.a', value: new Uint8Array(4000) }] }),
  ];
  const plan = planErofsImage(request({ tree }));
  const path = join(tempDir(t), 'image');
  writeFile(path, (sink) => plan.write(sink));
  const volume = openErofs(memorySource(readFileSync(path)));
  const firstBlocks = ['a', 'b', 'c', 'd', 'e'].map((name) => findErofsEntry(volume, name).inode.place.union);
  assert.deepEqual(firstBlocks, [1, 1, 13, 25, 37]);
  assert.deepEqual(likeFolder(erofsTree(volume)), likeFolder(tree));
  assert.equal(spawnSync('fsck.erofs', [path]).status, 0);
});

const lastOctetChanged =
  (size: number): ByteSource['read'] =>
  (offset, target) => {
    patternSource(size, 5).read(offset, target);
    if (offset + target.length === size) target[target.length - 1] = (target.at(-1) as number) ^ 1;
  };

test('attributes that many inodes have stand once', needsTool('dump.erofs'), (t) => {
  const label = { name: 'security.selinux', value: bytesOf('system_u:object_r:usr_t:s0\0') };
  const acl = { name: 'system.posix_acl_access', value: new Uint8Array(28).fill(2) };
  const signature = { name: 'security.ima', value: new Uint8Array(300).fill(3) };
  const tree = [
    directory('', { xattrs: [label] }),
    ...Array.from({ length: 50 }, (_, i) => file(`f${i}`, 10, { xattrs: [acl, label] })),
    file('own', 10, { xattrs: [label, { name: 'user.own', value: bytesOf('x') }, signature] }),
    file('none', 10),
  ];
  const plan = planErofsImage(request({ tree }));
  const bytes = written((sink) => plan.write(sink));
  const volume = openErofs(memorySource(bytes));
  assert.deepEqual(summaryOf(erofsTree(volume)), summaryOf(tree));
  const bytesOfXattrs = (name: string): number => findErofsEntry(volume, name).inode.place.xattrBytes;
  // A header and a number for each that is shared.
  assert.deepEqual([bytesOfXattrs('f7'), bytesOfXattrs(''), bytesOfXattrs('none')], [20, 16, 0]);
  const path = join(tempDir(t), 'image');
  writeFile(path, (sink) => sink.write(0, bytes));
  assert.match(execFileSync('dump.erofs', ['--path=/f7', path], { encoding: 'utf8' }), /Xattr size: 20/);
});

test('more shared attributes than an inode may have', () => {
  const xattrs = Array.from({ length: 300 }, (_, i) => ({ name: `user.${i}`, value: bytesOf('the same everywhere') }));
  const tree = [directory(''), ...['a', 'b', 'c'].map((name) => file(name, 10, { xattrs }))];
  const bytes = written((sink) => planErofsImage(request({ tree })).write(sink));
  assert.deepEqual(summaryOf(erofsTree(openErofs(memorySource(bytes)))), summaryOf(tree));
});

test('no inode has the number 0, which programs take for no name', () => {
  const bytes = written((sink) => planErofsImage(request({ tree: TREE })).write(sink));
  for (const { inode } of listErofs(openErofs(memorySource(bytes)))) assert.notEqual(inode.nid, 0);
});

test('entries of directories are as they are declared', () => {
  const bytes = written((sink) => planErofsImage(request({ tree: [directory(''), file('a', 1)] })).write(sink));
  const volume = openErofs(memorySource(bytes));
  const [root, a] = [findErofsEntry(volume, '').inode, findErofsEntry(volume, 'a').inode];
  const at = (i: number) => decodeAt(erofsDirent, bytes, root.place.restOffset + i * DIRENT_BYTES).value;
  assert.deepEqual([0, 1, 2].map(at), [
    { nid: BigInt(root.nid), nameOffset: 36, fileType: 2, reserved: 0 },
    { nid: BigInt(root.nid), nameOffset: 37, fileType: 2, reserved: 0 },
    { nid: BigInt(a.nid), nameOffset: 39, fileType: 1, reserved: 0 },
  ]);
});
