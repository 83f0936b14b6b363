// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { parseUtf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { readCpio } from '@vouchsafe/disk';
import { makeInitrd } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { moduleOf, programOf, writeTree } from './support.ts';

/** A system with one program and two modules. The order in which files are made is the caller's. */
function request(root: string, isReversed: boolean) {
  const files = [
    ['modules/kernel/a.ko', moduleOf({ depends: 'b' })],
    ['modules/kernel/b.ko', moduleOf({})],
    ['modules/modules.builtin', ''],
    ['bin/busybox', 'a shell'],
    ['sbin/dmsetup', programOf(['libdm.so'])],
    ['usr/lib/libdm.so', programOf([])],
  ] as const;
  writeTree(root, Object.fromEntries(isReversed ? files.toReversed() : files));
  return {
    modulesRoot: join(root, 'modules'),
    modules: ['a', ''],
    systemRoot: root,
    busybox: join(root, 'bin/busybox'),
    dmsetup: join(root, 'sbin/dmsetup'),
  };
}

test('the same inputs at another place and time, made in another order, give the same bytes', (t) => {
  const first = makeInitrd(request(tempDir(t), false));
  assert.deepEqual(makeInitrd(request(tempDir(t), true)), first);
});

test('folders come before what is in them, modules are listed in load order, the init is ours', (t) => {
  const archive = memorySource(zstdDecompressSync(makeInitrd(request(tempDir(t), false))));
  const entries = [...readCpio(archive)];
  const paths = entries.map(({ path }) => path);
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (slash >= 0) assert.ok(paths.indexOf(path.slice(0, slash)) < paths.indexOf(path), path);
  }
  const text = (path: string): string => {
    const entry = entries.find((candidate) => candidate.path === path);
    assert.ok(entry?.kind === 'file', path);
    return parseUtf8(readBytes(entry.content, 0, entry.content.size));
  };
  assert.equal(text('modules/order'), 'b.ko\na.ko\n');
  assert.equal(text('init'), readFileSync(new URL('../assets/initrd-init.sh', import.meta.url), 'utf8'));
  assert.ok(paths.includes('lib/x86_64-linux-gnu/libdm.so'));
});

const INIT = readFileSync(new URL('../assets/initrd-init.sh', import.meta.url), 'utf8');

test('when the init refuses, nothing that follows runs', needsTool('busybox'), () => {
  // The function as it stands there, with a poweroff that does nothing.
  const refuse = /^refuse\(\) \{\n[\s\S]*?^\}$/m.exec(INIT)?.[0] ?? '';
  const script = `sleep() { :; }\npoweroff() { :; }\n${refuse}\nfalse || refuse 'a reason'\necho 'still running'\n`;
  let said = '';
  assert.throws(() => {
    try {
      said = execFileSync('busybox', ['sh', '-c', script], { encoding: 'utf8' });
    } catch (error) {
      said = String((error as { stdout: unknown }).stdout);
      throw error;
    }
  });
  assert.equal(said, 'vouchsafe-initrd: refused: a reason\n');
});
