// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  erofsTree,
  type FileTree,
  findErofsEntry,
  listErofs,
  openErofs,
  openErofsFile,
  planErofsImage,
  readErofsLink,
  readErofsXattrs,
  type TreeEntry,
} from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { makePlainFolder, makeSampleFolder } from './erofs-folder.ts';
import { at, directory, file, folderSummary, likeFolder, summaryOf, TREE } from './erofs-tree.ts';
import { patternSource, readTestdata, SEED, TIMESTAMP, withCode, written } from './support.ts';

/** Where the superblock says that it has a checksum. */
const FEATURE_COMPAT = 1024 + 8;

const imageOf = (tree: FileTree): Uint8Array =>
  written((sink) => planErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP, label: 'root' }).write(sink));
const openBytes = (bytes: Uint8Array) => openErofs(memorySource(bytes));

test('what was written is read', () => {
  const volume = openBytes(imageOf(TREE));
  assert.deepEqual(
    [volume.uuid, volume.label, volume.blockBytes, volume.inodeCount, volume.epochSeconds, volume.features],
    [SEED, 'root', 4096, TREE.length - 2, TIMESTAMP, ['sb_csum', 'mtime']],
  );
  const read = [...erofsTree(volume)];
  assert.deepEqual(likeFolder(read), likeFolder(TREE));
  // An inode has no first name: which of its names is the hard link is the reader's choice.
  const inodes = (tree: Iterable<TreeEntry>) => summaryOf([...tree].filter(({ path }) => !/hard|4096$/.test(path)));
  assert.deepEqual(inodes(read), inodes(TREE));
  assert.deepEqual(imageOf(read), imageOf(TREE));
});

test('any tree goes round', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '.', '-', '\u{1f512}'), minLength: 1, maxLength: 20 });
  const usable = name.filter((text) => text !== '.' && text !== '..');
  const inode = fc.record({
    name: usable,
    size: fc.oneof(fc.nat(64), fc.nat(20_000)),
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.nat(100), fc.nat(0xfffffffe)),
    mtimeSeconds: fc.oneof(fc.constant(TIMESTAMP), fc.nat()),
    mtimeNanoseconds: fc.constantFrom(0, 999_999_999),
    xattrs: fc.uniqueArray(
      fc.record({ name: usable.map((text) => `user.${text}`), value: fc.uint8Array({ maxLength: 300 }) }),
      { selector: ({ name: text }) => text, maxLength: 4 },
    ),
    kind: fc.constantFrom('file', 'directory', 'symlink', 'fifo', 'block'),
  });
  fc.assert(
    fc.property(fc.uniqueArray(inode, { selector: ({ name: text }) => text, maxLength: 30 }), (inodes) => {
      const tree: TreeEntry[] = [directory('')];
      for (const { name: path, size, kind, ...rest } of inodes) {
        const attributes = { ...at(path), ...rest };
        if (kind === 'file') tree.push({ kind, ...attributes, content: patternSource(size) });
        else if (kind === 'symlink') tree.push({ kind, ...attributes, target: 'x'.repeat(1 + (size % 4095)) });
        else if (kind === 'block') tree.push({ kind, ...attributes, device: { major: size % 4096, minor: size } });
        else tree.push({ kind: kind as 'directory' | 'fifo', ...attributes });
      }
      assert.deepEqual(summaryOf(erofsTree(openBytes(imageOf(tree)))), summaryOf(tree));
    }),
    { numRuns: 60 },
  );
});

test('paths are found, contents read from any octet on', () => {
  const volume = openBytes(imageOf(TREE));
  const { inode } = findErofsEntry(volume, '/etc/1000001');
  const content = openErofsFile(volume, inode);
  assert.equal(content.size, 1_000_001);
  const expected = TREE.find(({ path }) => path === 'etc/1000001') as TreeEntry & { kind: 'file' };
  for (const offset of [0, 1, 4095, 4096, 995_327, 995_328, 999_999]) {
    const length = Math.min(6000, content.size - offset);
    assert.deepEqual(readBytes(content, offset, length), readBytes(expected.content, offset, length), `${offset}`);
  }
  assert.equal(findErofsEntry(volume, '').inode.nid, volume.rootNid);
  assert.equal(readErofsLink(volume, findErofsEntry(volume, 'link').inode), 'etc/one');
  assert.deepEqual(readErofsXattrs(volume, findErofsEntry(volume, 'link').inode), []);
  assert.throws(() => findErofsEntry(volume, 'etc/two'), withCode('not_found'));
  assert.throws(() => findErofsEntry(volume, 'etc/one/two'), withCode('not_a_file'));
  assert.throws(() => openErofsFile(volume, findErofsEntry(volume, 'etc').inode), withCode('not_a_file'));
  assert.throws(() => readErofsLink(volume, inode), withCode('not_a_file'));
});

const LAYOUTS: readonly string[][] = [
  [],
  ['-Enoinline_data'],
  ['-Eforce-inode-extended'],
  ['-Eforce-inode-compact'],
  ['--chunksize=4096'],
  ['--chunksize=8192', '-Eforce-chunk-indexes'],
  ['--chunksize=1048576'],
];
for (const options of LAYOUTS) {
  test(`images of mkfs.erofs ${options.join(' ')}`, needsTool('mkfs.erofs'), (t) => {
    const dir = tempDir(t);
    const root = join(dir, 'root');
    makePlainFolder(root);
    const path = join(dir, 'image');
    execFileSync('mkfs.erofs', ['--quiet', ...options, path, root]);
    using source = FileSource.open(path);
    const volume = openErofs(source);
    const [read, expected] = [likeFolder(erofsTree(volume)), folderSummary(root)];
    // Compact inodes have all the same time.
    if (!options.includes('-Eforce-inode-compact')) assert.deepEqual(read, expected);
    assert.deepEqual(Object.keys(read).sort(), Object.keys(expected).sort());
    assert.equal([...listErofs(volume)].length, Object.keys(expected).length);
  });
}

const COMPRESSED: readonly string[][] = [
  ['-zlz4'],
  ['-zlz4hc'],
  ['-zlz4', '-C65536'],
  ['-zlz4', '-Elegacy-compress'],
  ['-zlz4', '-Eztailpacking'],
  ['-zlz4hc', '-C16384', '-Eztailpacking'],
];
for (const options of COMPRESSED) {
  test(`images of mkfs.erofs ${options.join(' ')}`, needsTool('mkfs.erofs'), (t) => {
    const dir = tempDir(t);
    const root = join(dir, 'root');
    makeSampleFolder(root);
    const path = join(dir, 'image');
    execFileSync('mkfs.erofs', ['--quiet', ...options, path, root]);
    using source = FileSource.open(path);
    const volume = openErofs(source);
    assert.deepEqual(likeFolder(erofsTree(volume)), folderSummary(root));
    // The kinds of index: otherwise this would be a test of something else.
    const { layout } = findErofsEntry(volume, 'text').inode;
    assert.equal(layout, options.includes('-Elegacy-compress') ? 'compressed-full' : 'compressed-compact');
  });
}

/** Owners are those of whoever makes the folder. */
const withoutOwners = (summary: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(summary).map(([path, entry]) => [path, { ...(entry as object), owner: [] }]));

const NEWER = {
  'fragments.img': ['sb_csum', 'mtime', '0padding', 'fragments or dedupe'],
  'all-fragments.img': ['sb_csum', 'mtime', '0padding', 'ztailpacking', 'fragments or dedupe'],
  'dedupe.img': ['sb_csum', 'mtime', '0padding', 'fragments or dedupe'],
  'large-clusters.img': ['sb_csum', 'mtime', '0padding', 'compr_cfgs or big_pcluster', 'fragments or dedupe'],
  'full-index.img': ['sb_csum', 'mtime', '0padding', 'ztailpacking', 'fragments or dedupe'],
  'chunks.img': ['sb_csum', 'mtime', 'chunked_file'],
};
for (const [name, features] of Object.entries(NEWER)) {
  test(`${name} of mkfs.erofs 1.9.3`, (t) => {
    const root = join(tempDir(t), 'root');
    makeSampleFolder(root);
    const volume = openBytes(readTestdata(`erofs/${name}`));
    assert.deepEqual(volume.features, features);
    assert.deepEqual(withoutOwners(likeFolder(erofsTree(volume))), withoutOwners(folderSummary(root)));
    for (const path of ['text', 'mixed', 'holes']) {
      const content = openErofsFile(volume, findErofsEntry(volume, path).inode);
      const whole = readBytes(content, 0, content.size);
      for (let offset = 0; offset < content.size; offset += 997) {
        const length = Math.min(content.size - offset, offset % 3 === 0 ? 1 : 5000);
        assert.deepEqual(
          readBytes(content, offset, length),
          whole.subarray(offset, offset + length),
          `${path} ${offset}`,
        );
      }
    }
  });
}

test('chunks that are holes', () => {
  const volume = openBytes(readTestdata('erofs/chunks.img'));
  const content = openErofsFile(volume, findErofsEntry(volume, 'holes').inode);
  assert.deepEqual(content.dataExtents?.(), [{ start: 0, end: 8192 }]);
});

test('long prefixes of attribute names', () => {
  const volume = openBytes(readTestdata('erofs/prefixes.img'));
  assert.deepEqual(volume.features, ['sb_csum', 'mtime', 'xattr_filter', 'plain_xattr_pfx', 'xattr_prefixes']);
  const xattrs = readErofsXattrs(volume, findErofsEntry(volume, 'f').inode);
  const shown = xattrs.map(({ name, value }) => `${name}=${Buffer.from(value)}`).sort();
  assert.deepEqual(shown, ['trusted.overlay.metacopy=y', 'trusted.overlay.redirect=/there', 'user.other=z']);
});

test('what is not read is named', () => {
  const refused = { '48bit.img': '48bit', 'metabox.img': 'metabox', 'devices.img': 'device_table' };
  for (const [name, feature] of Object.entries(refused)) {
    assert.throws(() => openBytes(readTestdata(`erofs/${name}`)), {
      code: 'erofs_unsupported',
      message: new RegExp(feature),
    });
  }
  const volume = openBytes(readTestdata('erofs/deflate.img'));
  const content = openErofsFile(volume, findErofsEntry(volume, 'text').inode);
  assert.throws(() => readBytes(content, 0, 10), { code: 'erofs_unsupported', message: /DEFLATE/ });
});

test('attributes of mkfs.erofs: behind the inode and shared', needsTool('mkfs.erofs', 'setfattr'), (t) => {
  const dir = tempDir(t);
  const root = join(dir, 'root');
  mkdirSync(root);
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(root, name), name);
    execFileSync('setfattr', ['-n', 'user.shared', '-v', 'the same', join(root, name)]);
    execFileSync('setfattr', ['-n', `user.own.${name}`, '-v', name.repeat(300), join(root, name)]);
  }
  for (const tolerance of ['-x0', '-x1', '-x100']) {
    const path = join(dir, `image${tolerance}`);
    execFileSync('mkfs.erofs', ['--quiet', tolerance, path, root]);
    using source = FileSource.open(path);
    const volume = openErofs(source);
    for (const name of ['a', 'b', 'c']) {
      const xattrs = readErofsXattrs(volume, findErofsEntry(volume, name).inode);
      const shown = xattrs.map((xattr) => [xattr.name, Buffer.from(xattr.value).toString()]).sort();
      assert.deepEqual(shown, [
        [`user.own.${name}`, name.repeat(300)],
        ['user.shared', 'the same'],
      ]);
    }
  }
});

test('names are octets to the kernel, and refused here when they are not UTF-8', () => {
  const image = imageOf([directory(''), file('caf\u00e9', 1)]);
  const name = utf8('caf\u00e9');
  const place = Buffer.from(image).indexOf(Buffer.from(name));
  image[place + 4] = 0x2d;
  image[FEATURE_COMPAT] = 0;
  assert.throws(() => [...listErofs(openBytes(image))], withCode('name_invalid'));
});
