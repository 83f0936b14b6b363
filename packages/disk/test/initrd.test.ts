// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import {
  type CpioMember,
  cpioMembers,
  cpioTree,
  encodeStubArchive,
  FILE_TYPES,
  readCpio,
  writeCpio,
} from '@vouchsafe/disk';
import { openInitrd, openTree } from '@vouchsafe/disk/node';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { bytesOf, textSource, withCode, written } from './support.ts';
import { shown } from './tree-support.ts';

const archive = (members: readonly CpioMember[]): Uint8Array => written((sink) => writeCpio(sink, members));
const file = (path: string, content: string, more: Partial<CpioMember> = {}): CpioMember => {
  return { path, mode: FILE_TYPES.file | 0o644, content: textSource(content), ...more };
};
const made = (tool: string, args: readonly string[], input: Uint8Array): Uint8Array =>
  new Uint8Array(
    execFileSync(tool, args as string[], { input, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 2 ** 28 }),
  );
const zeros = (bytes: Uint8Array, to = 4): Uint8Array => new Uint8Array(-bytes.length & (to - 1));

/** Contents of files, and the kind of the rest. */
function brief(tree: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => {
      if (typeof entry === 'string') return [path, entry];
      const { kind, content, target } = entry as Record<string, string>;
      return [path, content === undefined ? (target ?? kind) : Buffer.from(content, 'hex').toString()];
    }),
  );
}

async function read(bytes: Uint8Array, options = {}) {
  using initrd = await openInitrd(memorySource(bytes), options);
  return { tree: brief(shown(initrd.entries)), parts: initrd.parts.map(({ compression }) => compression) };
}

const EARLY = archive([file('kernel/x86/microcode/x', 'microcode')]);
const MAIN = archive([
  { path: 'etc', mode: FILE_TYPES.directory | 0o755 },
  file('init', 'first'),
  { path: 'bin', mode: FILE_TYPES.symlink | 0o777, content: textSource('usr/bin') },
]);
const SECOND = archive([file('init', 'second'), file('etc/more', 'm'.repeat(100_000))]);

for (const [name, ...command] of [
  ['gzip', 'gzip', '-n'],
  ['zstd', 'zstd', '-3'],
  ['xz', 'xz', '--check=crc32'],
  ['xz', 'xz', '--block-size=10000'],
  ['lz4', 'lz4', '-c', '-l'],
  ['lz4', 'lz4', '-c', '-BX', '--content-size'],
] as const) {
  const [tool, ...args] = command as readonly [string, ...string[]];
  test(`microcode, two archives in ${command.join(' ')}, and what a stub adds`, needsTool(tool), async () => {
    const [main, second] = [made(tool, args, MAIN), made(tool, args, SECOND)];
    const stub = encodeStubArchive('credentials', [{ name: 'a.cred', content: bytesOf('secret') }]);
    // As ukify and the stub put them together: each filled up to four octets.
    const bytes = concatBytes(EARLY, new Uint8Array(512), main, zeros(main), second, zeros(second), stub);
    const { tree, parts } = await read(bytes);
    // gzip data end to end are one, where nothing has to be filled up between them.
    const joined = parts.filter((part, i) => part !== 'gzip' || parts[i - 1] !== 'gzip');
    assert.deepEqual(joined, name === 'gzip' ? ['none', name, 'none'] : ['none', name, name, 'none']);
    assert.deepEqual([tree['init'], tree['bin'], tree['kernel/x86/microcode/x']], ['second', 'usr/bin', 'microcode']);
    assert.deepEqual([tree['.extra/credentials/a.cred'], String(tree['etc/more']).length], ['secret', 100_000]);
    for (const end of [bytes.length - stub.length - zeros(second).length - 1, bytes.length - 1]) {
      await assert.rejects(
        read(bytes.subarray(0, end)),
        (error: { code?: string }) => /malformed/.test(String(error.code)),
        `${end}`,
      );
    }
  });
}

test('two archives inside one compressed part', needsTool('zstd'), async () => {
  const { tree } = await read(made('zstd', [], concatBytes(MAIN, new Uint8Array(100), SECOND)));
  assert.equal(tree['init'], 'second');
});

test('hard links of GNU cpio, of ours, and with the content first', needsTool('cpio'), async (t) => {
  const root = join(tempDir(t), 'root');
  mkdirSync(join(root, 'd'), { recursive: true });
  writeFileSync(join(root, 'd/a'), 'shared');
  linkSync(join(root, 'd/a'), join(root, 'd/b'));
  linkSync(join(root, 'd/a'), join(root, 'c'));
  symlinkSync('d/a', join(root, 'link'));
  const theirs = new Uint8Array(
    execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: root, input: 'c\nd\nd/b\nd/a\nlink\n' }),
  );
  const expected = { '': 'directory', c: 'shared', d: 'directory', 'd/a': '= c', 'd/b': '= c', link: 'd/a' };
  assert.deepEqual((await read(theirs)).tree, expected);
  using folder = await openTree(root, { xattrs: 'ignore' });
  const ours = archive([...cpioMembers(folder.entries)]);
  assert.deepEqual((await read(ours)).tree, expected);
  const linked = { ino: 7, nlink: 2 };
  const first = archive([file('a', 'content', linked), file('b', '', linked)]);
  assert.deepEqual((await read(first)).tree, { '': 'directory', a: 'content', b: '= a' });
});

test('inode numbers mean nothing beyond their archive', async () => {
  const linked = { ino: 7, nlink: 2 };
  const { tree } = await read(concatBytes(archive([file('a', '1', linked)]), archive([file('b', '2', linked)])));
  assert.deepEqual(tree, { '': 'directory', a: '1', b: '2' });
});

test('what must not be followed, and limits', async () => {
  const link: CpioMember = { path: 'etc', mode: FILE_TYPES.symlink | 0o777, content: textSource('/host') };
  await assert.rejects(read(archive([link, file('etc/passwd', 'x')])), withCode('link_followed'));
  await assert.rejects(read(archive([file('../x', 'x')])), withCode('path_escape'));
  await assert.rejects(read(concatBytes(MAIN, SECOND), { maxEntries: 4 }), withCode('limit'));
  await assert.rejects(read(new Uint8Array(8)), withCode('cpio_malformed'));
  await assert.rejects(read(concatBytes(MAIN, bytesOf('BZh9'))), withCode('compression_unsupported'));
  await assert.rejects(read(concatBytes(MAIN, bytesOf('garbage!'.repeat(20)))), withCode('cpio_malformed'));
});

test('a bomb', needsTool('zstd'), async () => {
  const bomb = made('zstd', ['-19'], archive([file('zeros', '\0'.repeat(50_000_000))]));
  await assert.rejects(read(bomb, { decompression: { maxBytes: 1_000_000 } }), withCode('limit'));
});

test('a name of 4 GiB, and a content of as much', () => {
  for (const at of [94, 54]) {
    const bytes = MAIN.slice();
    bytes.set(bytesOf('ffffffff'), at);
    assert.throws(() => cpioTree([readCpio(memorySource(bytes))]), withCode('cpio_malformed'));
  }
});

test("the initrds of UKIs that booted, as lsinitramfs' own tools read them", {
  ...needsVectors('image/boot', 'uki-252.39.efi'),
  ...needsTool('objcopy', 'cpio', 'zstd'),
}, async (t) => {
  const path = join(tempDir(t), 'initrd');
  execFileSync('objcopy', ['-O', 'binary', '--only-section=.initrd', vectorPath('image/boot', 'uki-252.39.efi'), path]);
  const bytes = new Uint8Array(readFileSync(path));
  using initrd = await openInitrd(memorySource(bytes));
  assert.ok(initrd.entries.length > 5, `${initrd.entries.length}`);
  assert.ok(initrd.entries.some((entry) => entry.path === 'init'));
});
