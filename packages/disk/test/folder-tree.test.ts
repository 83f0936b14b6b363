// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readBytes } from '@vouchsafe/bytes';
import { buildTree, type TreeEntry } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { withCode } from './support.ts';
import { shown } from './tree-support.ts';

function makeFolder(root: string): string {
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  writeFileSync(join(root, 'usr/bin/tool'), 'tool', { mode: 0o755 });
  linkSync(join(root, 'usr/bin/tool'), join(root, 'usr/bin/alias'));
  symlinkSync('/usr/bin', join(root, 'bin'));
  symlinkSync('bin/nothing', join(root, 'größe'));
  writeFileSync(join(root, 'empty'), '');
  utimesSync(join(root, 'empty'), 1, 1_600_000_000.5);
  return root;
}

test('a folder as it is: links are links, nothing is followed', async (t) => {
  using tree = await openTree(makeFolder(join(tempDir(t), 'root')), { xattrs: 'ignore' });
  const all = shown(tree.entries) as Record<string, Record<string, unknown>>;
  assert.deepEqual(Object.keys(all), ['', 'bin', 'empty', 'größe', 'usr', 'usr/bin', 'usr/bin/alias', 'usr/bin/tool']);
  assert.deepEqual([all['bin']?.['kind'], all['bin']?.['target']], ['symlink', '/usr/bin']);
  assert.deepEqual([all['usr/bin/alias']?.['mode'], all['usr/bin/tool']], [0o755, '= usr/bin/alias']);
  const empty = all['empty'];
  assert.deepEqual(
    [empty?.['mtimeSeconds'], empty?.['mtimeNanoseconds'], empty?.['uid']],
    [1_600_000_000, 500_000_000, process.getuid?.()],
  );
  assert.equal(buildTree(tree.entries).children.length, 4);
});

test('entries come by the octets of their names, whatever texts are compared by', async (t) => {
  const root = tempDir(t);
  // U+1F600 is two units of UTF-16, which are smaller than U+FF41; of U+FFFD the host's texts do not tell whether it was there.
  const names = ['a', 'a-b', 'a/x', 'z', 'é', '\uff41', '\ufffd', '\u{1f600}'];
  mkdirSync(join(root, 'a'));
  for (const name of names.slice(1)) writeFileSync(join(root, name), name);
  symlinkSync('\ufffd', join(root, 'b'));
  using tree = await openTree(root, { xattrs: 'ignore' });
  assert.deepEqual(
    tree.entries.map(({ path }) => path),
    ['', 'a', 'a-b', 'a/x', 'b', ...names.slice(3)],
  );
  assert.equal(tree.entries.find((entry) => entry.kind === 'symlink')?.target, '\ufffd');
});

test('a folder that is named by a link to it is that folder', async (t) => {
  const root = makeFolder(join(tempDir(t), 'root'));
  const link = join(tempDir(t), 'link');
  symlinkSync(root, link);
  using direct = await openTree(root, { xattrs: 'ignore' });
  for (const path of [link, `${link}/`]) {
    using linked = await openTree(path, { xattrs: 'ignore' });
    assert.deepEqual(shown(linked.entries), shown(direct.entries));
  }
});

test('the same folder by GNU tar is the same tree', needsTool('tar'), async (t) => {
  const root = makeFolder(join(tempDir(t), 'root'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const archive = join(tempDir(t), 'a.tar.zst');
  execFileSync('tar', [
    '--format=posix',
    '--zstd',
    '--xattrs',
    '--acls',
    '--sort=name',
    '-cf',
    archive,
    '-C',
    root,
    '.',
  ]);
  using folder = await openTree(root);
  using tar = await openTree(archive);
  assert.deepEqual(shown(tar.entries), shown(folder.entries));
});

test('extended attributes, binary ones too', needsTool('setfattr', 'perl'), async (t) => {
  const root = makeFolder(join(tempDir(t), 'root'));
  try {
    execFileSync('setfattr', ['-n', 'user.binary', '-v', '0x00ff0a80', join(root, 'empty')], { stdio: 'ignore' });
    execFileSync('setfattr', ['-n', 'user.a', '-v', '', join(root, 'empty')], { stdio: 'ignore' });
    execFileSync('setfattr', ['-n', 'user.dir', '-v', 'x', join(root, 'usr')], { stdio: 'ignore' });
  } catch {
    t.skip('missing tool: a file system with extended attributes');
    return;
  }
  using tree = await openTree(root);
  const all = shown(tree.entries) as Record<string, { xattrs?: Record<string, string> }>;
  assert.deepEqual(
    [all['empty']?.xattrs, all['usr']?.xattrs, all['bin']?.xattrs],
    [{ 'user.a': '', 'user.binary': '00ff0a80' }, { 'user.dir': '78' }, undefined],
  );
});

const canMakeNodes = process.getuid?.() === 0 ? {} : { skip: 'missing tool: root, to make device nodes' };

test('device nodes', { ...needsTool('mknod'), ...canMakeNodes }, async (t) => {
  const root = tempDir(t);
  try {
    execFileSync('mknod', [join(root, 'null'), 'c', '1', '3'], { stdio: 'ignore' });
  } catch {
    t.skip('missing tool: the capability to make device nodes');
    return;
  }
  execFileSync('mknod', [join(root, 'big'), 'b', '259', '70000']);
  using tree = await openTree(root);
  const all = shown(tree.entries) as Record<string, { device?: unknown }>;
  assert.deepEqual(
    [all['null']?.device, all['big']?.device],
    [
      { major: 1, minor: 3 },
      { major: 259, minor: 70000 },
    ],
  );
});

test('more files than a process may have open', async (t) => {
  const root = tempDir(t);
  for (let i = 0; i < 60; i++) writeFileSync(join(root, `f${i}`), `${i}`);
  using tree = await openTree(root);
  const files = tree.entries.filter((entry) => entry.kind === 'file');
  for (const round of [0, 1]) {
    for (const { path, content } of files)
      assert.equal(Buffer.from(readBytes(content, 0, content.size)).toString(), path.slice(1), `${round}`);
  }
});

test('a file that changed after it was listed is not read', async (t) => {
  const root = tempDir(t);
  const open = async (change: (path: string) => void) => {
    const path = join(root, 'f');
    rmSync(path, { force: true });
    writeFileSync(path, 'before');
    using tree = await openTree(root);
    change(path);
    const file = tree.entries.find((entry) => entry.kind === 'file') as Extract<TreeEntry, { kind: 'file' }>;
    readBytes(file.content, 0, file.content.size);
  };
  const replaced = (path: string): void => {
    writeFileSync(`${path}2`, 'before');
    renameSync(`${path}2`, path);
  };
  await assert.rejects(
    open((path) => truncateSync(path, 3)),
    withCode('input_changed'),
  );
  await assert.rejects(
    open((path) => utimesSync(path, 5, 5)),
    withCode('input_changed'),
  );
  await assert.rejects(open(replaced), withCode('input_changed'));
  await assert.rejects(
    open((path) => {
      rmSync(path);
      symlinkSync('/etc/passwd', path);
    }),
    (error: { code?: string }) => error.code === 'not_found',
  );
});

test('names that are not UTF-8, and what is not there', async (t) => {
  const root = tempDir(t);
  await assert.rejects(openTree(join(root, 'none')), (error: { code?: string }) => error.code === 'not_found');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x66, 0xff)]), '');
  await assert.rejects(openTree(root), withCode('name_invalid'));
});

test('limits, and kinds that are not those said', async (t) => {
  const root = makeFolder(join(tempDir(t), 'root'));
  await assert.rejects(openTree(root, { maxEntries: 3 }), withCode('limit'));
  await assert.rejects(openTree(root, {}, 'tar'), withCode('tar_malformed'));
  await assert.rejects(openTree(root, {}, 'deb'), withCode('deb_malformed'));
  await assert.rejects(openTree(root, {}, 'oci'), withCode('oci_missing'));
  await assert.rejects(
    openTree(join(root, 'empty'), {}, 'folder'),
    (error: { code?: string }) => error.code !== undefined,
  );
});
