// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { BytesError, MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { erofsTree, findErofsEntry, openErofs, openErofsFile, type TreeEntry, writeErofsImage } from '@vouchsafe/disk';
import { type ErofsThreads, writeErofsWithThreads } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { noise, text } from './erofs-folder.ts';
import { at, contentOf, directory, likeFolder, summaryOf, TREE } from './erofs-tree.ts';
import { bytesOf, SEED, TIMESTAMP, withCode, writeFile, written } from './support.ts';

const bytesFile = (path: string, bytes: Uint8Array, nameBytes = 0): TreeEntry => ({
  kind: 'file',
  content: memorySource(bytes),
  // Attributes of any length put the index at any place.
  ...at(path, nameBytes === 0 ? {} : { xattrs: [{ name: `user.${'n'.repeat(nameBytes)}`, value: bytesOf(path) }] }),
});

const mixed = (size: number): Uint8Array => {
  const parts = Array.from({ length: Math.ceil(size / 20_000) }, (_, i) =>
    i % 3 === 2 ? noise(20_000, i) : text(20_000, i),
  );
  return new Uint8Array(parts.flatMap((part) => [...part])).subarray(0, size);
};

/** Sizes around clusters and packs of the index, and around the parts in which files are compressed. */
const SIZES = [4096, 4097, 8191, 8192, 8193, 12_289, 65_536, 65_537, 131_073, 200_000, 2_097_152, 2_097_153, 4_500_001];
const FILES: readonly TreeEntry[] = [
  directory(''),
  directory('text'),
  directory('mixed'),
  ...SIZES.flatMap((size) => [
    bytesFile(`text/${size}`, text(size, size)),
    bytesFile(`text/${size}x`, text(size, size), 1 + (size % 37)),
    bytesFile(`mixed/${size}`, mixed(size)),
  ]),
  bytesFile('noise', noise(300_000)),
  bytesFile('zeros', new Uint8Array(3_000_000)),
  bytesFile('zeros-and-one', new Uint8Array(3_000_001).fill(1, 3_000_000)),
];

function image(tree: readonly TreeEntry[]): Uint8Array {
  return written((sink) =>
    writeErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP, label: 'root', compression: 'lz4' }, sink),
  );
}

const open = (bytes: Uint8Array) => openErofs(memorySource(bytes));

test('what was compressed is read', () => {
  for (const tree of [FILES, TREE]) {
    const volume = open(image(tree));
    assert.deepEqual(volume.features, ['sb_csum', 'mtime', '0padding']);
    assert.deepEqual(likeFolder(erofsTree(volume)), likeFolder(tree));
  }
});

test('files are compressed where that takes less room', () => {
  const volume = open(image(FILES));
  const layoutOf = (path: string) => findErofsEntry(volume, path).inode.layout;
  assert.deepEqual(['text/4096', 'text/8193', 'text/200000', 'mixed/200000', 'noise', 'zeros'].map(layoutOf), [
    'plain',
    'compressed-compact',
    'compressed-compact',
    'compressed-compact',
    'inline',
    'compressed-compact',
  ]);
  const [compressed, plain] = [
    image(FILES),
    written((sink) => writeErofsImage({ tree: FILES, uuid: SEED, timestampSeconds: 0 }, sink)),
  ];
  assert.ok(compressed.length < 0.75 * plain.length, `${compressed.length} of ${plain.length}`);
  assert.deepEqual(open(image([directory(''), bytesFile('noise', noise(20_000))])).features, ['sb_csum', 'mtime']);
});

test('contents are read from any octet on', () => {
  const volume = open(image(FILES));
  for (const path of ['mixed/200000', 'text/131073x', 'zeros-and-one', 'mixed/4500001']) {
    const content = openErofsFile(volume, findErofsEntry(volume, path).inode);
    const expected = contentOf((FILES.find((entry) => entry.path === path) as TreeEntry & { kind: 'file' }).content);
    for (let offset = 0; offset < content.size; offset += 33_331) {
      const length = Math.min(content.size - offset, 1 + (offset % 9000));
      assert.deepEqual(
        readBytes(content, offset, length),
        expected.subarray(offset, offset + length),
        `${path} ${offset}`,
      );
    }
    assert.deepEqual(readBytes(content, content.size - 1, 1), expected.subarray(-1));
  }
});

test('fsck.erofs extracts what was compressed', needsTool('fsck.erofs'), (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'image');
  writeFile(path, (sink) => sink.write(0, image(FILES)));
  const out = join(dir, 'out');
  const fsck = spawnSync('fsck.erofs', [`--extract=${out}`, path], { encoding: 'utf8' });
  assert.deepEqual([fsck.status, fsck.stderr], [0, '']);
  for (const entry of FILES) {
    if (entry.kind !== 'file') continue;
    assert.ok(readFileSync(join(out, entry.path)).equals(contentOf(entry.content)), entry.path);
  }
});

test('an image of an image is the same', () => {
  const bytes = image(FILES);
  const again = [...erofsTree(open(bytes))];
  assert.deepEqual(summaryOf(again), summaryOf(FILES));
  assert.deepEqual(image(again), bytes);
});

/** Without a checksum, so that a change is seen by what reads it. */
const SMALL = image([directory(''), bytesFile('f', text(30_000))]);
SMALL[1024 + 8] = 0;

function placeOf(bytes: Uint8Array): { readonly inode: number; readonly header: number; readonly firstBlock: number } {
  const volume = open(bytes);
  const { inode } = findErofsEntry(volume, 'f');
  return { inode: volume.layout.metaOffset + 32 * inode.nid, header: inode.place.restOffset, firstBlock: 1 };
}

const readF = (bytes: Uint8Array): Uint8Array => {
  const volume = open(bytes);
  return contentOf(openErofsFile(volume, findErofsEntry(volume, 'f').inode));
};

test('indexes and blocks that cannot be', () => {
  const { inode, header } = placeOf(SMALL);
  const { sizeBytes } = findErofsEntry(open(SMALL), 'f').inode;
  const changed = (edit: (view: DataView) => void): Uint8Array => {
    const bytes = SMALL.slice();
    edit(new DataView(bytes.buffer));
    return bytes;
  };
  const malformed: readonly ((view: DataView) => void)[] = [
    // More clusters than there are octets in the image.
    (view) => view.setUint32(inode + 8, 0xfffffff0, true),
    // A pack whose block is outside.
    (view) => view.setUint32(header + 8 + 4, 0xfffffff0, true),
    // The first cluster is none that begins a block.
    (view) => view.setUint16(header + 8, (2 << 12) | 1, true),
    (view) => view.setUint16(header + 8, 2 << 12, true),
    // The count of blocks where there is one each.
    (view) => view.setUint16(header + 8 + 2, (2 << 12) | (1 << 11) | 1, true),
    // One kind of head with a count of blocks, the other without.
    (view) => view.setUint16(header + 4, 1 | 2, true),
    // Blocks of zeros, and of something else than LZ4.
    (view) => new Uint8Array(view.buffer).fill(0, 4096, 8192),
    (view) => new Uint8Array(view.buffer).fill(0xff, 4096, 8192),
    // Its end is in a packed inode, which there is none of.
    (view) => view.setUint16(header + 4, 0x20, true),
    (view) => view.setUint8(header + 7, 0x80),
  ];
  for (const [i, edit] of malformed.entries()) {
    assert.throws(() => readF(changed(edit)), withCode('erofs_malformed'), `case ${i}`);
  }
  const unsupported: readonly ((view: DataView) => void)[] = [
    (view) => view.setUint16(header + 4, 0x41, true),
    (view) => view.setUint8(header + 6, 1),
    (view) => view.setUint8(header + 6, 15),
    (view) => view.setUint8(header + 7, 1),
  ];
  for (const [i, edit] of unsupported.entries()) {
    assert.throws(() => readF(changed(edit)), withCode('erofs_unsupported'), `case ${i}`);
  }
  assert.equal(sizeBytes, 30_000);
});

test('a small image does not become endless', () => {
  // Heads are missing: each extent is as long as the file, which is as long as its index allows.
  const { inode, header } = placeOf(SMALL);
  const bytes = new Uint8Array(SMALL.length + 64 * 4096);
  bytes.set(SMALL);
  const view = new DataView(bytes.buffer);
  view.setUint32(1024 + 36, bytes.length / 4096, true);
  view.setUint32(inode + 8, 400_000_000, true);
  for (let at = header + 8; at + 8 <= bytes.length; at += 8) view.setUint32(at, ((2 << 12) | 1) * 0x10001, true);
  view.setUint16(header + 8, 1 << 12, true);
  assert.throws(() => readF(bytes), withCode('erofs_malformed'));
});

test('as many threads as there may be make the same image', async () => {
  const request = { tree: FILES, uuid: SEED, timestampSeconds: TIMESTAMP, label: 'root', compression: 'lz4' } as const;
  const expected = image(FILES);
  for (const threads of [1, 3]) {
    const sink = new MemorySink(64 * 1024 * 1024);
    const result = await writeErofsWithThreads(request, sink, 4096, { threads });
    assert.equal(result.sizeBytes, expected.length);
    assert.deepEqual(sink.bytes().subarray(4096), expected);
  }
});

test('what fails, or is cancelled, while threads work ends the work', async () => {
  const failing: TreeEntry = {
    kind: 'file',
    content: {
      size: 50_000,
      label: 'failing',
      read() {
        throw new BytesError('io', 'failing');
      },
    },
    ...at('z'),
  };
  const request = { uuid: SEED, timestampSeconds: TIMESTAMP, compression: 'lz4' } as const;
  const sink = () => new MemorySink(64 * 1024 * 1024);
  const run = (tree: readonly TreeEntry[], options: ErofsThreads) =>
    writeErofsWithThreads({ ...request, tree }, sink(), 0, { threads: 2, ...options });
  await assert.rejects(run([...FILES, failing], {}), { code: 'io' });
  const cancelled = new AbortController();
  const onProgress = () => cancelled.abort();
  await assert.rejects(run(FILES, { signal: cancelled.signal, onProgress }), { name: 'AbortError' });
  await assert.rejects(run(FILES, { threads: 0 }), { code: 'options_invalid' });
});
