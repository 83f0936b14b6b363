// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { planErofsImage, type TreeEntry } from '@vouchsafe/disk';
import { type ArtefactDiff, diffArtefacts, makeUki } from '@vouchsafe/image';
import { tempDir } from '@vouchsafe/testing';
import { directory, file, link, madeProgram, makeDisk, opened, rootTree, SEED, TIMESTAMP } from './made-disk.ts';
import { codeOf } from './support.ts';

const diff = (before: ByteSource, after: ByteSource, maxListed = 1000): ArtefactDiff =>
  diffArtefacts(before, after, { maxListed });

/** Each as `path field before -> after`. */
const lines = ({ differences }: ArtefactDiff): string[] =>
  differences.map(
    ({ path, field, before, after }) => `${path.join('|')} ${field ?? ''} ${before ?? ''} -> ${after ?? ''}`,
  );

function erofs(...tree: TreeEntry[]): ByteSource {
  const sink = new MemorySink(1 << 22);
  planErofsImage({ tree: [directory(''), ...tree], uuid: SEED, timestampSeconds: TIMESTAMP }).write(sink);
  return memorySource(sink.bytes(), 'root.erofs');
}

test('the same is the same', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  await makeDisk(path);
  const disk = opened(t, path);
  assert.deepEqual(diff(disk, disk), { areSame: true, differences: [], further: 0 });
  assert.equal(diff(disk, memorySource(readFileSync(path), 'copy')).areSame, true);
});

test('files: added, removed, and each thing that can change', () => {
  const xattrs = [{ name: 'user.x', value: Uint8Array.of(1) }];
  const device = (minor: number): TreeEntry => {
    const common = { path: 'null', mode: 0o666, uid: 0, gid: 0, mtimeSeconds: TIMESTAMP };
    return { ...common, kind: 'character', device: { major: 1, minor } };
  };
  const before = [
    file('a', '1'),
    file('gone', '1'),
    file('m', '1'),
    file('o', '1'),
    file('x', '1'),
    link('l', 'a'),
    device(3),
    file('k', '1'),
  ];
  const after = [
    file('a', '22'),
    file('m', '1', 0o600),
    { ...file('o', '1'), uid: 7 } as TreeEntry,
    { ...file('x', '1'), xattrs } as TreeEntry,
    link('l', 'b'),
    device(5),
    directory('k'),
    file('new', '123'),
  ];
  const found = lines(diff(erofs(...before), erofs(...after)));
  const expected = [
    /^a content 1 octets, sha256 6b86b273.* -> 2 octets, sha256 785f3ec7/,
    /^gone {2}file of 1 octets -> $/,
    /^k kind file of 1 octets -> directory$/,
    /^l target a -> b$/,
    /^m mode 0644 -> 0600$/,
    /^new {2} -> file of 3 octets$/,
    /^null device 1:3 -> 1:5$/,
    /^o owner 0:0 -> 7:0$/,
    /^x xattrs {2}-> user.x=01$/,
  ];
  for (const pattern of expected)
    assert.ok(
      found.some((line) => pattern.test(line)),
      `${pattern} in\n${found.join('\n')}`,
    );
  assert.equal(found.filter((line) => /^(a|gone|k|l|m|new|null|o|x) /.test(line)).length, expected.length);
});

test('a disk of another version: root hash, UUIDs, the file, and the command line of the UKI', async (t) => {
  const dir = tempDir(t);
  const [one, two] = [join(dir, 'one.raw'), join(dir, 'two.raw')];
  const a = toHex((await makeDisk(one)).rootHash);
  const b = toHex((await makeDisk(two, { tree: rootTree('8') })).rootHash);
  const found = lines(diff(opened(t, one), opened(t, two)));
  const wanted = [
    `partition esp|EFI/BOOT/BOOTX64.EFI|.cmdline content quiet roothash=${a} -> quiet roothash=${b}`,
    `partition root-x86-64-verity rootHash ${a} -> ${b}`,
    `partition root-x86-64-verity-sig rootHash ${a} -> ${b}`,
  ];
  for (const line of wanted) assert.ok(found.includes(line), `${line} in\n${found.join('\n')}`);
  assert.ok(found.some((line) => line.startsWith('partition root-x86-64|etc/os-release content')));
  assert.ok(!found.some((line) => line.includes('etc/shadow')));
});

test('sections of UKIs: changed, added, removed; and what no section holds', async () => {
  const contents = { linux: madeProgram(), cmdline: utf8('quiet'), osrel: utf8('ID=a\n') };
  const build = async (more: object) =>
    memorySource(await makeUki(madeProgram(), { ...contents, ...more }, undefined), 'uki');
  const before = await build({ uname: utf8('6.1') });
  const after = await build({ cmdline: utf8('debug'), splash: memorySource(utf8('BM')) });
  const found = lines(diff(before, after));
  assert.ok(found.includes('.cmdline content quiet -> debug'));
  assert.ok(found.some((line) => line.startsWith('.splash   -> 2 octets')));
  assert.ok(found.some((line) => line.startsWith('.uname  6.1 -> ')));
  const bytes = new Uint8Array(readFileSync(new URL('../../pe/testdata/made.efi', import.meta.url)));
  bytes[0x88] = 0x55;
  assert.equal(diff(madeProgram(), memorySource(bytes, 'made.efi')).areSame, false);
});

test('another kind, other octets, more than is listed', () => {
  assert.deepEqual(lines(diff(madeProgram(), erofs())), [' kind pe -> erofs']);
  assert.match(lines(diff(memorySource(utf8('a')), memorySource(utf8('b'))))[0] ?? '', /^ content 1 octets, sha256/);
  const { areSame, differences, further } = diff(erofs(file('a', '1'), file('b', '1')), erofs(), 1);
  assert.deepEqual([areSame, differences.length, further > 0], [false, 1, true]);
});

test('what cannot be read is an error where it is all there is', () => {
  const bytes = new Uint8Array(4096);
  bytes.set([0xe2, 0xe1, 0xf5, 0xe0], 1024);
  assert.match(
    codeOf(() => diff(memorySource(bytes, 'bad'), erofs())),
    /^erofs_/,
  );
});
