// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { programWithLibraries, treeOf } from '@vouchsafe/image';
import { tempDir } from '@vouchsafe/testing';
import { codeOf, programOf, writeTree } from './support.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';

test('a program brings its loader and the libraries of its libraries, each once', (t) => {
  const root = tempDir(t);
  writeTree(root, {
    'bin/p': programOf(['liba.so', 'libb.so'], LOADER),
    'lib/x86_64-linux-gnu/liba.so': programOf(['libb.so', 'ld-linux-x86-64.so.2']),
    'usr/lib/libb.so': programOf(['liba.so']),
    'lib64/ld-linux-x86-64.so.2': programOf([]),
  });
  const files = programWithLibraries(root, join(root, 'bin/p'), 'bin/p');
  assert.deepEqual(Object.fromEntries(files.map(({ path, from }) => [path, from.slice(root.length)])), {
    'bin/p': '/bin/p',
    'lib64/ld-linux-x86-64.so.2': '/lib64/ld-linux-x86-64.so.2',
    'lib/x86_64-linux-gnu/liba.so': '/lib/x86_64-linux-gnu/liba.so',
    'lib/x86_64-linux-gnu/libb.so': '/usr/lib/libb.so',
  });
});

test('links of an unpacked system lead into it, not to this machine', (t) => {
  const [root, outside] = [tempDir(t), tempDir(t)];
  writeTree(root, {
    'bin/p': programOf(['liba.so', 'libc.so']),
    'usr/lib/liba.so.1': programOf([]),
    'libc.so': programOf([]),
  });
  writeTree(outside, { 'liba.so.1': programOf(['of-this-machine.so']) });
  symlinkSync('/usr/lib', join(root, 'lib'));
  symlinkSync('liba.so.1', join(root, 'usr/lib/liba.so'));
  symlinkSync('../../../../../../../../libc.so', join(root, 'usr/lib/libc.so'));
  const files = programWithLibraries(root, join(root, 'bin/p'), 'bin/p');
  assert.deepEqual(
    files.map(({ from }) => from.slice(root.length)),
    ['/bin/p', '/usr/lib/liba.so.1', '/libc.so'],
  );
  mkdirSync(join(root, 'lib64'));
  writeTree(root, { 'bin/q': programOf(['libo.so']) });
  symlinkSync(join(outside, 'liba.so.1'), join(root, 'lib64/libo.so'));
  assert.equal(
    codeOf(() => programWithLibraries(root, join(root, 'bin/q'), 'bin/q')),
    'library_missing',
  );
});

test('links in circles, and names that are paths, are refused', (t) => {
  const root = tempDir(t);
  const code = (libraries: string[], loader?: string): string => {
    writeTree(root, { p: programOf(libraries, loader) });
    return codeOf(() => programWithLibraries(root, join(root, 'p'), 'bin/p'));
  };
  mkdirSync(join(root, 'lib'));
  symlinkSync('b.so', join(root, 'lib/a.so'));
  symlinkSync('a.so', join(root, 'lib/b.so'));
  assert.equal(code(['a.so']), 'path_invalid');
  for (const name of ['../../etc/shadow', '/etc/shadow', '..', '']) assert.equal(code([name]), 'path_invalid', name);
  for (const name of ['', 'lib/ld.so', '/', '/..', '/lib/../../x', '/lib//x', '/lib/.', '/a b', '/a\nb']) {
    assert.equal(code([], name), 'path_invalid', JSON.stringify(name));
  }
  assert.equal(code([], LOADER), 'library_missing');
});

test('a tree has the folders of its files, and nothing that is no file', (t) => {
  const root = tempDir(t);
  writeTree(root, { a: 'a' });
  const entries = treeOf([{ path: 'x/y/a', from: join(root, 'a'), mode: 0o644 }]);
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['', 'x', 'x/y', 'x/y/a'],
  );
  for (const from of [root, join(root, 'none')]) {
    assert.equal(
      codeOf(() => treeOf([{ path: 'a', from, mode: 0o644 }])),
      'path_invalid',
    );
  }
});
