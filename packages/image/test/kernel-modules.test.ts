// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modulesInLoadOrder } from '@vouchsafe/image';
import { tempDir } from '@vouchsafe/testing';
import { codeOf, moduleOf, writeTree } from './support.ts';

type After = Parameters<typeof tempDir>[0];

/** The load order in a tree of modules, each by its name and what it says of itself. */
function orderOf(
  t: After,
  modules: Readonly<Record<string, Record<string, string>>>,
  wanted: readonly string[],
  builtIn = '',
) {
  const root = tempDir(t);
  const files = Object.entries(modules).map(([path, info]) => [path, moduleOf(info)]);
  writeTree(root, { ...Object.fromEntries(files), 'modules.builtin': builtIn });
  return modulesInLoadOrder(root, wanted).map(({ path }) => path);
}

test('what a module needs comes before it, each once, whichever is asked for first', (t) => {
  const modules = {
    'kernel/fs/erofs.ko': { depends: 'crc,lz4-x', softdep: 'pre: soft post: after' },
    'kernel/lib/crc.ko': { depends: '' },
    'kernel/lib/lz4_x.ko': { depends: 'crc' },
    'kernel/lib/soft.ko': { license: 'GPL' },
    'kernel/lib/after.ko': {},
  };
  const expected = ['kernel/lib/soft.ko', 'kernel/lib/crc.ko', 'kernel/lib/lz4_x.ko', 'kernel/fs/erofs.ko'];
  assert.deepEqual(orderOf(t, modules, ['erofs', 'crc']), expected);
  assert.deepEqual(orderOf(t, modules, ['lz4-x', 'erofs']), [expected[1], expected[2], expected[0], expected[3]]);
});

test('what is built in is left out, and a wish that is not there too', (t) => {
  const modules = { 'a.ko': { depends: 'b-x', softdep: 'pre: none' } };
  assert.deepEqual(orderOf(t, modules, ['a', 'c'], 'kernel/b_x.ko\nkernel/c.ko\n'), ['a.ko']);
});

test('a module that is not there is missing, and so is a folder that is none', (t) => {
  assert.equal(
    codeOf(() => orderOf(t, { 'a.ko': { depends: 'b' } }, ['a'])),
    'module_missing',
  );
  assert.equal(
    codeOf(() => orderOf(t, {}, ['a'])),
    'module_missing',
  );
  assert.equal(
    codeOf(() => modulesInLoadOrder(`${tempDir(t)}/none`, ['a'])),
    'module_missing',
  );
});

test('modules that need each other are refused; wishes that go in circles are not', (t) => {
  assert.equal(
    codeOf(() => orderOf(t, { 'a.ko': { depends: 'b' }, 'b.ko': { depends: 'a' } }, ['a'])),
    'module_cycle',
  );
  assert.equal(
    codeOf(() => orderOf(t, { 'a.ko': { depends: 'a' } }, ['a'])),
    'module_cycle',
  );
  const soft = { 'a.ko': { softdep: 'pre: b' }, 'b.ko': { softdep: 'pre: a' } };
  assert.deepEqual(orderOf(t, soft, ['a']), ['b.ko', 'a.ko']);
});

test('of two modules of one name the one in updates/ counts', (t) => {
  const modules = { 'updates/a.ko': {}, 'kernel/a.ko': {}, 'extra/a.ko': {} };
  assert.deepEqual(orderOf(t, modules, ['a']), ['updates/a.ko']);
});

test('a module that is no ELF file is malformed', (t) => {
  const root = tempDir(t);
  writeTree(root, { 'a.ko': 'text', 'modules.builtin': '' });
  assert.equal(
    codeOf(() => modulesInLoadOrder(root, ['a'])),
    'elf_malformed',
  );
});

test('a soft dependency of nothing but white space is read in no time', (t) => {
  const modules = { 'a.ko': { softdep: `pre:${' '.repeat(200_000)}x` } };
  assert.deepEqual(orderOf(t, modules, ['a']), ['a.ko']);
});
