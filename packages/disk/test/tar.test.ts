// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { toHex } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { type TreeEntry, tarTree } from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { shown } from './tree-support.ts';

const MTIME = 1_700_000_000;
const LONG = `${'long-directory-name/'.repeat(8)}${'n'.repeat(200)}`;

/** A tree of every kind that needs no root; with names of all lengths. */
function makeTree(root: string): void {
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, LONG.slice(0, LONG.lastIndexOf('/'))), { recursive: true });
  writeFileSync(join(root, 'usr/bin/tool'), 'tool', { mode: 0o755 });
  linkSync(join(root, 'usr/bin/tool'), join(root, 'usr/bin/alias'));
  symlinkSync('usr/bin', join(root, 'bin'));
  symlinkSync(`/${'t'.repeat(180)}`, join(root, 'long link'));
  writeFileSync(join(root, LONG), 'deep');
  writeFileSync(join(root, 'größe €'), '');
  execFileSync('mkfifo', [join(root, 'pipe')]);
  execFileSync('find', [root, '-exec', 'touch', '-h', '-d', `@${MTIME}`, '{}', '+']);
}

function expectedTree(): Record<string, string> {
  return {
    '': 'directory',
    bin: 'symlink usr/bin',
    'long link': `symlink /${'t'.repeat(180)}`,
    [LONG]: 'file 4 0644',
    'größe €': 'file 0 0644',
    pipe: 'fifo',
    'usr/bin/alias': 'file 4 0755',
    'usr/bin/tool': '= usr/bin/alias',
  };
}

function summary(tree: readonly TreeEntry[]): Record<string, string> {
  return Object.fromEntries(
    tree.map((entry) => {
      if (entry.kind === 'hardlink') return [entry.path, `= ${entry.target}`];
      if (entry.kind === 'file') return [entry.path, `file ${entry.content.size} 0${entry.mode.toString(8)}`];
      return [entry.path, entry.kind === 'symlink' ? `symlink ${entry.target}` : entry.kind];
    }),
  );
}

function openTar(path: string): TreeEntry[] {
  return tarTree(memorySource(new Uint8Array(readFileSync(path)), path));
}

for (const [tool, ...formats] of [
  ['tar', 'gnu', 'oldgnu', 'posix'],
  ['bsdtar', 'pax', 'gnutar'],
] as const) {
  for (const format of formats) {
    test(`what ${tool} writes in its format ${format}`, needsTool(tool), (t) => {
      const root = join(tempDir(t), 'root');
      mkdirSync(root);
      makeTree(root);
      const archive = join(tempDir(t), 'a.tar');
      execFileSync(tool, ['--format', format, '--numeric-owner', '-cf', archive, '-C', root, '.'], {
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      });
      const tree = openTar(archive);
      const seen = summary(tree);
      for (const [path, what] of Object.entries(expectedTree())) assert.equal(seen[path], what, path);
      for (const entry of tree) {
        if (entry.kind === 'hardlink') continue;
        assert.deepEqual(
          [entry.uid, entry.gid, entry.mtimeSeconds],
          [process.getuid?.(), process.getgid?.(), MTIME],
          entry.path,
        );
      }
      const tool_ = tree.find(({ path }) => path === 'usr/bin/alias');
      assert.ok(tool_?.kind === 'file' && toHex(readBytes(tool_.content, 0, 4)) === toHex(Buffer.from('tool')));
    });
  }
}

test('the formats of 1988 and before, as far as they go', needsTool('tar'), (t) => {
  const root = join(tempDir(t), 'root');
  mkdirSync(join(root, 'd'.repeat(90), 'e'.repeat(60)), { recursive: true });
  writeFileSync(join(root, 'd'.repeat(90), 'e'.repeat(60), 'f'), 'x');
  const archive = join(tempDir(t), 'a.tar');
  execFileSync('tar', ['--format', 'ustar', '-cf', archive, '-C', root, '.']);
  assert.equal(summary(openTar(archive))[`${'d'.repeat(90)}/${'e'.repeat(60)}/f`], 'file 1 0644');
  const small = join(tempDir(t), 'root');
  mkdirSync(join(small, 'd'), { recursive: true });
  writeFileSync(join(small, 'd/f'), 'x');
  execFileSync('tar', ['--format', 'v7', '-cf', archive, '-C', small, '.']);
  assert.deepEqual(summary(openTar(archive)), { '': 'directory', d: 'directory', 'd/f': 'file 1 0644' });
});

/** Data at the start, in the middle and, for some, at the end; holes between. */
function makeSparse(path: string, runs: number, size: number): void {
  const fd = openSync(path, 'w');
  for (let i = 0; i < runs; i++) writeSync(fd, Buffer.alloc(4096, i + 1), 0, 4096, i * 65536);
  closeSync(fd);
  truncateSync(path, size);
}

for (const [tool, args] of [
  ['tar', ['--format=gnu', '-S']],
  ['tar', ['--format=posix', '--sparse-version=0.0', '-S']],
  ['tar', ['--format=posix', '--sparse-version=0.1', '-S']],
  ['tar', ['--format=posix', '--sparse-version=1.0', '-S']],
  ['bsdtar', ['--format=pax', '--read-sparse']],
] as const) {
  for (const [runs, size] of [
    [1, 4096 * 100],
    [3, 3 * 65536],
    [40, 39 * 65536 + 4096],
    [0, 1_000_000],
  ] as const) {
    test(`a file with ${runs} runs of data, ${tool} ${args.join(' ')}`, needsTool(tool), (t) => {
      const root = tempDir(t);
      makeSparse(join(root, 'sparse'), runs, size);
      writeFileSync(join(root, 'zafter'), 'after');
      const archive = join(tempDir(t), 'a.tar');
      execFileSync(tool, [...args, '-cf', archive, '-C', root, 'sparse', 'zafter']);
      using source = FileSource.open(archive);
      assert.ok(source.size < size + 10240 || runs === 0);
      const tree = tarTree(source);
      const entry = tree.find(({ path }) => path === 'sparse');
      assert.ok(entry?.kind === 'file');
      assert.deepEqual(
        readBytes(entry.content, 0, entry.content.size),
        new Uint8Array(readFileSync(join(root, 'sparse'))),
      );
      assert.ok((entry.content.dataExtents?.() ?? []).every(({ start, end }) => start < end));
      // A part from the middle of a hole into data.
      if (runs === 3)
        assert.deepEqual(readBytes(entry.content, 65000, 2000).subarray(536), new Uint8Array(1464).fill(2));
      assert.ok(tree.some((other) => other.path === 'zafter' && other.kind === 'file' && other.content.size === 5));
    });
  }
}

test('owners, devices and times of GNU tar and bsdtar', needsTool('tar', 'bsdtar'), (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, 'f'), 'x', { mode: 0o600 });
  utimesSync(join(root, 'f'), 1.5, 1_600_000_000.25);
  const archive = join(tempDir(t), 'a.tar');
  for (const uid of [0, 1000, 2_097_152, 4_294_967_294]) {
    execFileSync('tar', ['--owner', String(uid), '--group', String(uid), '-cf', archive, '-C', root, 'f']);
    const [, file] = openTar(archive);
    assert.ok(file?.kind === 'file');
    assert.deepEqual([file.uid, file.gid, file.mtimeNanoseconds], [uid, uid, undefined]);
  }
  execFileSync('tar', ['--format=posix', '-cf', archive, '-C', root, 'f']);
  const [, file] = openTar(archive);
  assert.ok(file?.kind === 'file');
  assert.deepEqual([file.mtimeSeconds, file.mtimeNanoseconds], [1_600_000_000, 250_000_000]);
});

const canMakeNodes = process.getuid?.() === 0 ? {} : { skip: 'missing tool: root, to make device nodes' };

test('device nodes, in every format that has them', { ...needsTool('tar', 'mknod'), ...canMakeNodes }, (t) => {
  const root = tempDir(t);
  try {
    execFileSync('mknod', [join(root, 'null'), 'c', '1', '3'], { stdio: 'ignore' });
  } catch {
    t.skip('missing tool: the capability to make device nodes');
    return;
  }
  execFileSync('mknod', [join(root, 'big'), 'b', '259', '70000']);
  const archive = join(tempDir(t), 'a.tar');
  for (const format of ['gnu', 'posix', 'ustar']) {
    execFileSync('tar', ['--format', format, '-cf', archive, '-C', root, 'null', 'big']);
    const tree = shown(openTar(archive)) as Record<string, { kind: string; device: unknown }>;
    assert.deepEqual([tree['null']?.kind, tree['null']?.device], ['character', { major: 1, minor: 3 }], format);
    assert.deepEqual([tree['big']?.kind, tree['big']?.device], ['block', { major: 259, minor: 70000 }], format);
  }
});

test(
  'extended attributes and ACLs, binary ones too, as GNU tar and bsdtar write them',
  needsTool('tar', 'bsdtar', 'setfattr', 'setfacl'),
  (t) => {
    const root = tempDir(t);
    writeFileSync(join(root, 'f'), 'x');
    try {
      execFileSync('setfattr', ['-n', 'user.binary', '-v', '0x00ff80c1fe0a3d00', join(root, 'f')], { stdio: 'ignore' });
      execFileSync('setfattr', ['-n', 'user.a=b %', '-v', 'text', join(root, 'f')], { stdio: 'ignore' });
      execFileSync('setfacl', ['-m', 'u:54321:r,g:54321:rwx', join(root, 'f')], { stdio: 'ignore' });
    } catch {
      t.skip('missing tool: a file system with extended attributes and ACLs');
      return;
    }
    const archive = join(tempDir(t), 'a.tar');
    // From getfattr on the same file: version 2, then tag, permissions and id of each entry.
    const acl =
      '0200000001000600ffffffff0200040031d4000004000400ffffffff0800070031d4000010000700ffffffff20000400ffffffff';
    for (const [tool, args, hasEqualsSign] of [
      ['tar', ['--format=posix', '--xattrs', '--acls', '--numeric-owner'], false],
      ['bsdtar', ['--format=pax', '--xattrs', '--acls', '--numeric-owner'], true],
    ] as const) {
      execFileSync(tool, [...args, '-cf', archive, '-C', root, 'f']);
      const { f } = shown(openTar(archive)) as Record<string, { xattrs: Record<string, string> }>;
      assert.equal(f?.xattrs['user.binary'], '00ff80c1fe0a3d00', tool);
      assert.equal(f?.xattrs['system.posix_acl_access'], acl, tool);
      if (hasEqualsSign) assert.equal(f?.xattrs['user.a=b %'], toHex(Buffer.from('text')), tool);
    }
  },
);
