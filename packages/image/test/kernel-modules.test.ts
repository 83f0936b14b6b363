// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readBytes } from '@vouchsafe/bytes';
import { modulesInLoadOrder } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { codeOfRejected, moduleOf, writeTree } from './support.ts';

const tools = needsTool('xz');

type After = Parameters<typeof tempDir>[0];

/** The load order in a tree of modules, each by its name and what it says of itself. */
async function orderOf(
  t: After,
  modules: Readonly<Record<string, Record<string, string>>>,
  wanted: readonly string[],
  builtIn = '',
) {
  const root = tempDir(t);
  const files = Object.entries(modules).map(([path, info]) => [path, moduleOf(info)]);
  writeTree(root, { ...Object.fromEntries(files), 'modules.builtin': builtIn });
  return (await modulesInLoadOrder(root, wanted)).map(({ path }) => path);
}

test('what a module needs comes before it, each once, whichever is asked for first', async (t) => {
  const modules = {
    'kernel/fs/erofs.ko': { depends: 'crc,lz4-x', softdep: 'pre: soft post: after' },
    'kernel/lib/crc.ko': { depends: '' },
    'kernel/lib/lz4_x.ko': { depends: 'crc' },
    'kernel/lib/soft.ko': { license: 'GPL' },
    'kernel/lib/after.ko': {},
  };
  const expected = ['kernel/lib/soft.ko', 'kernel/lib/crc.ko', 'kernel/lib/lz4_x.ko', 'kernel/fs/erofs.ko'];
  assert.deepEqual(await orderOf(t, modules, ['erofs', 'crc']), expected);
  assert.deepEqual(await orderOf(t, modules, ['lz4-x', 'erofs']), [expected[1], expected[2], expected[0], expected[3]]);
});

test('what is built in is left out, and a wish that is not there too', async (t) => {
  const modules = { 'a.ko': { depends: 'b-x', softdep: 'pre: none' } };
  assert.deepEqual(await orderOf(t, modules, ['a', 'c'], 'kernel/b_x.ko\nkernel/c.ko\n'), ['a.ko']);
});

test('a module that is not there is missing, and so is a folder that is none', async (t) => {
  assert.equal(await codeOfRejected(orderOf(t, { 'a.ko': { depends: 'b' } }, ['a'])), 'module_missing');
  assert.equal(await codeOfRejected(orderOf(t, {}, ['a'])), 'module_missing');
  assert.equal(await codeOfRejected(modulesInLoadOrder(`${tempDir(t)}/none`, ['a'])), 'module_missing');
});

test('modules that need each other are refused; wishes that go in circles are not', async (t) => {
  assert.equal(
    await codeOfRejected(orderOf(t, { 'a.ko': { depends: 'b' }, 'b.ko': { depends: 'a' } }, ['a'])),
    'module_cycle',
  );
  assert.equal(await codeOfRejected(orderOf(t, { 'a.ko': { depends: 'a' } }, ['a'])), 'module_cycle');
  const soft = { 'a.ko': { softdep: 'pre: b' }, 'b.ko': { softdep: 'pre: a' } };
  assert.deepEqual(await orderOf(t, soft, ['a']), ['b.ko', 'a.ko']);
});

test('of two modules of one name the one in updates/ counts', async (t) => {
  const modules = { 'updates/a.ko': {}, 'kernel/a.ko': {}, 'extra/a.ko': {} };
  assert.deepEqual(await orderOf(t, modules, ['a']), ['updates/a.ko']);
});

test('a module that is no ELF file is malformed', async (t) => {
  const root = tempDir(t);
  writeTree(root, { 'a.ko': 'text', 'modules.builtin': '' });
  assert.equal(await codeOfRejected(modulesInLoadOrder(root, ['a'])), 'elf_malformed');
});

test('a soft dependency of nothing but white space is read in no time', async (t) => {
  const modules = { 'a.ko': { softdep: `pre:${' '.repeat(200_000)}x` } };
  assert.deepEqual(await orderOf(t, modules, ['a']), ['a.ko']);
});

test('compressed modules are found by their names, read, and taken decompressed', async (t) => {
  const root = tempDir(t);
  const [a, b] = [moduleOf({ depends: 'b,c' }), moduleOf({})];
  writeTree(root, { 'a.ko.zst': zstdCompressSync(a), 'b.ko.gz': gzipSync(b), 'c.ko': b, 'modules.builtin': '' });
  if (tools.skip === undefined) {
    writeTree(root, { 'c.ko.xz': execFileSync('xz', ['--check=crc32', '-c'], { input: b }) });
    rmSync(join(root, 'c.ko'));
  }
  const modules = await modulesInLoadOrder(root, ['a']);
  assert.deepEqual(
    modules.map(({ path, content }) => [path, Buffer.from(readBytes(content, 0, content.size))]),
    [
      ['b.ko', Buffer.from(b)],
      ['c.ko', Buffer.from(b)],
      ['a.ko', Buffer.from(a)],
    ],
  );
  writeTree(root, { 'd.ko.zst': zstdCompressSync(a).subarray(0, -8) });
  assert.equal(await codeOfRejected(modulesInLoadOrder(root, ['d'])), 'compression_malformed');
});
