// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { toHex, utf8 } from '@vouchsafe/base';
import { type ByteSource, MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { type CpioMember, planErofsImage, type TreeEntry, writeCpio } from '@vouchsafe/disk';
import { contentTree, extractTree, type Selection, select } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { directory, file, link, madeProgram, makeDisk, opened, rootTree, SEED, TIMESTAMP } from './made-disk.ts';
import { codeOf } from './support.ts';

const OPTIONS = { maxBytes: 1 << 30, keepsOwners: false } as const;

function erofs(tree: Iterable<TreeEntry>): ByteSource {
  const sink = new MemorySink(1 << 24);
  planErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP }).write(sink);
  return memorySource(sink.bytes(), 'root.erofs');
}

function cpio(...members: CpioMember[]): ByteSource {
  const sink = new MemorySink(1 << 20);
  writeCpio(sink, members);
  return memorySource(sink.bytes(), 'initrd');
}

const cpioFile = (path: string, text = 'x'): CpioMember => ({
  path,
  mode: 0o100644,
  content: memorySource(utf8(text)),
});
const text = (source: ByteSource): string => Buffer.from(readBytes(source, 0, source.size)).toString();

test('a tree as it was, without owners and set-id bits', (t) => {
  const folder = join(tempDir(t), 'out');
  const tree = [...rootTree(), file('su', 'x', 0o4755), { kind: 'hardlink', path: 'su2', target: 'su' } as const];
  const done = extractTree(contentTree(erofs(tree)), folder, OPTIONS);
  assert.deepEqual([done.files, done.directories, done.links, done.skipped], [4, 2, 2, []]);
  assert.equal(readFileSync(join(folder, 'etc/os-release'), 'utf8'), 'ID=testos\nVERSION_ID=7\n');
  assert.equal(statSync(join(folder, 'etc/shadow')).mode & 0o7777, 0o600);
  assert.equal(statSync(join(folder, 'su')).mode & 0o7777, 0o755);
  assert.equal(statSync(join(folder, 'su')).ino, statSync(join(folder, 'su2')).ino);
  assert.equal(readlinkSync(join(folder, 'etc/mtab')), '../proc/self/mounts');
  assert.equal(statSync(join(folder, 'etc')).mtimeMs, TIMESTAMP * 1000);
  assert.equal(statSync(join(folder, 'blob')).mtimeMs, TIMESTAMP * 1000);
});

test('fsck.erofs extracts the same', needsTool('fsck.erofs', 'diff'), (t) => {
  const dir = tempDir(t);
  const image = erofs(rootTree());
  writeFileSync(join(dir, 'image'), readBytes(image, 0, image.size));
  extractTree(contentTree(image), join(dir, 'ours'), OPTIONS);
  execFileSync('fsck.erofs', [`--extract=${join(dir, 'theirs')}`, join(dir, 'image')], { stdio: 'ignore' });
  execFileSync('diff', ['-r', '--no-dereference', join(dir, 'ours'), join(dir, 'theirs')]);
});

test('holes stay holes', (t) => {
  const folder = join(tempDir(t), 'out');
  const content = memorySource(new Uint8Array(8 << 20));
  const entry: TreeEntry = { path: 'zeros', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0, content };
  extractTree([directory(''), entry], folder, OPTIONS);
  const { size, blocks } = statSync(join(folder, 'zeros'));
  assert.deepEqual([size, blocks * 512 < size], [8 << 20, true]);
});

test('nothing is written outside the folder', (t) => {
  const dir = tempDir(t);
  const outside = join(dir, 'outside');
  mkdirSync(outside);
  const hostile: readonly (readonly [what: string, members: CpioMember[], code: string])[] = [
    ['a path that climbs', [cpioFile('../outside/a')], 'path_invalid'],
    ['a path that climbs on its way', [cpioFile('a/../../outside/a')], 'path_invalid'],
    ['a path inside that has dots', [cpioFile('a/./b')], 'path_invalid'],
    [
      'a file through a link',
      [{ path: 'l', mode: 0o120777, content: memorySource(utf8(outside)) }, cpioFile('l/a')],
      'exists',
    ],
    [
      'a file through a link that comes later',
      [cpioFile('l/a'), { path: 'l', mode: 0o120777, content: memorySource(utf8(outside)) }],
      'exists',
    ],
    ['a file twice', [cpioFile('a'), cpioFile('a')], 'exists'],
    ['a folder that is a file', [cpioFile('a'), cpioFile('a/b')], 'exists'],
  ];
  for (const [i, [what, members, code]] of hostile.entries()) {
    const folder = join(dir, `out${i}`);
    assert.equal(
      codeOf(() => extractTree(contentTree(cpio(...members)), folder, OPTIONS)),
      code,
      what,
    );
    assert.equal(existsSync(join(outside, 'a')), false, what);
  }
  // An absolute path is one from the root of the archive.
  extractTree(contentTree(cpio(cpioFile(`/${'abs'}`))), join(dir, 'abs'), OPTIONS);
  assert.ok(existsSync(join(dir, 'abs/abs')));
});

test('names of one file in an archive', (t) => {
  const folder = join(tempDir(t), 'out');
  const common = { mode: 0o100644, ino: 7, nlink: 2 };
  extractTree(contentTree(cpio({ ...common, path: 'a' }, { ...cpioFile('b', 'content'), ...common })), folder, OPTIONS);
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'content');
});

test('a folder that is not empty, a link to one, too many octets', (t) => {
  const dir = tempDir(t);
  const image = erofs(rootTree());
  const extract = (name: string, maxBytes = 1 << 30) =>
    codeOf(() => extractTree(contentTree(image), join(dir, name), { ...OPTIONS, maxBytes }));
  mkdirSync(join(dir, 'full'));
  writeFileSync(join(dir, 'full/x'), '');
  assert.equal(extract('full'), 'output_not_empty');
  mkdirSync(join(dir, 'empty'));
  symlinkSync('empty', join(dir, 'link'));
  assert.equal(extract('link'), 'output_not_empty');
  writeFileSync(join(dir, 'file'), '');
  assert.equal(extract('file'), 'output_not_empty');
  assert.equal(extract('small', 100), 'limit');
  extractTree(contentTree(image), join(dir, 'empty'), OPTIONS);
  assert.ok(lstatSync(join(dir, 'empty/etc')).isDirectory());
});

test('parts of a disk by what they are called', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  const { rootHash } = await makeDisk(path);
  const disk = opened(t, path);
  const octets = (selection: Selection): ByteSource => {
    const selected = select(disk, selection);
    assert.ok(selected.kind === 'octets');
    return selected.source;
  };
  for (const partition of ['2', 'root-x86-64', 'root']) {
    assert.equal(text(octets({ partition, path: '/etc/os-release' })), 'ID=testos\nVERSION_ID=7\n');
  }
  const uki = { partition: 'esp', path: 'EFI/BOOT/BOOTX64.EFI' };
  assert.equal(text(octets({ ...uki, section: '.cmdline' })), `quiet roothash=${toHex(rootHash)}`);
  assert.equal(octets({ partition: 'root-verity' }).size > 4096, true);
  const folder = select(disk, { partition: 'root', path: 'etc' });
  assert.ok(folder.kind === 'folder');
  assert.deepEqual(
    [...folder.entries].map((entry) => entry.path),
    ['', 'mtab', 'os-release', 'shadow'],
  );
  const refused: readonly Selection[] = [
    { partition: '9' },
    { partition: 'usr' },
    { path: 'etc' },
    { partition: 'root', path: 'nothing' },
    { partition: 'root', path: 'etc/mtab' },
    { partition: 'root', path: 'etc', section: '.cmdline' },
    { partition: 'root', section: '.cmdline' },
    { ...uki, section: '.nothing' },
  ];
  for (const selection of refused) {
    const code = codeOf(() => select(disk, selection));
    assert.match(code, /^(not_selected|no_files)$/, JSON.stringify(selection));
  }
  assert.equal(
    codeOf(() => select(madeProgram(), { partition: '1' })),
    'not_selected',
  );
});

test('an archive that is compressed is said to be', () => {
  const archive = cpio(cpioFile('a'));
  const compressed = memorySource(gzipSync(readBytes(archive, 0, archive.size)), 'initrd.gz');
  assert.equal(
    codeOf(() => contentTree(compressed)),
    'no_files',
  );
});

test('a folder with names of files outside it', () => {
  const tree: TreeEntry[] = [
    directory(''),
    directory('a'),
    directory('b'),
    file('a/x', 'content'),
    { kind: 'hardlink', path: 'b/y', target: 'a/x' },
    { kind: 'hardlink', path: 'b/z', target: 'a/x' },
    link('b/l', 'y'),
  ];
  const selected = select(erofs(tree), { path: 'b' });
  assert.ok(selected.kind === 'folder');
  assert.deepEqual(
    [...selected.entries].map(({ path, kind }) => [path, kind]),
    [
      ['', 'directory'],
      ['l', 'symlink'],
      ['y', 'file'],
      ['z', 'hardlink'],
    ],
  );
});
