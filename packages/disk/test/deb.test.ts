// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { debianPackageData, overlayTrees, type TreeEntry, tarTree } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { makeTar } from './made-tar.ts';
import { bytesOf, withCode } from './support.ts';
import { shown } from './tree-support.ts';

const member = (name: string, content: Uint8Array): Uint8Array =>
  concatBytes(
    bytesOf(
      `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
    ),
    content,
    new Uint8Array(content.length & 1).fill(0x0a),
  );
const VERSION = member('debian-binary', bytesOf('2.0\n'));
const deb = (...members: readonly Uint8Array[]): Uint8Array => concatBytes(bytesOf('!<arch>\n'), ...members);
const DATA = makeTar([{ name: './etc/f', content: 'x' }]);
const read = (bytes: Uint8Array) => tarTree(debianPackageData(memorySource(bytes))).map(({ path }) => path);

for (const compression of ['none', 'gzip', 'xz', 'zstd']) {
  test(`what dpkg-deb builds, ${compression}`, needsTool('dpkg-deb'), async (t) => {
    const temp = tempDir(t);
    const root = join(temp, 'root');
    mkdirSync(join(root, 'DEBIAN'), { recursive: true });
    mkdirSync(join(root, 'usr/share/it'), { recursive: true });
    writeFileSync(
      join(root, 'DEBIAN/control'),
      'Package: it\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n',
    );
    writeFileSync(join(root, 'usr/share/it/a'), 'content');
    linkSync(join(root, 'usr/share/it/a'), join(root, 'usr/share/it/b'));
    execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', root, join(temp, 'it.deb')], {
      stdio: 'ignore',
    });
    using tree = await openTree(join(temp, 'it.deb'));
    const all = shown(tree.entries) as Record<string, Record<string, unknown>>;
    assert.deepEqual(Object.keys(all), ['', 'usr', 'usr/share', 'usr/share/it', 'usr/share/it/a', 'usr/share/it/b']);
    assert.equal(all['usr/share/it/a']?.['uid'], 0);
    // dpkg-deb itself unpacks the same.
    execFileSync('dpkg-deb', ['-x', join(temp, 'it.deb'), join(temp, 'unpacked')]);
    const theirs = readFileSync(join(temp, 'unpacked/usr/share/it/b'));
    assert.equal(all['usr/share/it/a']?.['content'], theirs.toString('hex'));
    await assert.rejects(openTree(join(temp, 'it.deb'), {}, 'tar'), withCode('tar_malformed'));
  });
}

test('packages that are none', () => {
  assert.deepEqual(read(deb(VERSION, member('control.tar', DATA), member('data.tar', DATA))), ['', 'etc', 'etc/f']);
  assert.deepEqual(read(deb(VERSION, member('data.tar/', DATA))), ['', 'etc', 'etc/f']);
  const sound = deb(VERSION, member('data.tar', DATA));
  for (let length = 0; length < 200; length++) {
    assert.throws(() => read(sound.subarray(0, length)), withCode('deb_malformed'), `${length} octets`);
  }
  for (const [what, bytes] of [
    ['no version', deb(member('data.tar', DATA))],
    ['version 3', deb(member('debian-binary', bytesOf('3.0\n')), member('data.tar', DATA))],
    ['no data', deb(VERSION, member('control.tar', DATA))],
    ['a size that is no number', deb(VERSION, bytesOf('x'.repeat(60)))],
    ['a size beyond the end', sound.subarray(0, sound.length - 1)],
    ['a static library', deb(member('/', bytesOf('\0\0\0\0')))],
  ] as const) {
    assert.throws(() => read(bytes), withCode('deb_malformed'), what);
  }
  const many = Array.from({ length: 101 }, () => member('_', bytesOf('')));
  assert.throws(() => read(deb(VERSION, ...many)), withCode('limit'));
});

test('trees over each other', () => {
  const tree = (...members: Parameters<typeof makeTar>[0]): TreeEntry[] => tarTree(memorySource(makeTar(members)));
  const whole = overlayTrees([
    tree(
      { name: 'etc', type: '5', edit: (header) => header.set(bytesOf('0000700'), 100) },
      { name: 'etc/a', content: '1' },
      { name: 'etc/b', content: '1' },
      { name: 'etc/c', type: '1', link: 'etc/a' },
    ),
    tree({ name: 'etc/a', content: '2' }, { name: 'usr/lib' }),
    [{ kind: 'hardlink', path: 'z', target: 'y' }, ...tree({ name: 'y', content: '3' })],
  ]);
  const all = shown(whole) as Record<string, Record<string, unknown> | string>;
  assert.deepEqual(Object.keys(all), ['', 'etc', 'etc/a', 'etc/b', 'etc/c', 'usr', 'usr/lib', 'y', 'z']);
  const contentOf = (path: string) =>
    Buffer.from(String((all[path] as Record<string, unknown>)['content']), 'hex').toString();
  assert.equal((all['etc'] as Record<string, unknown>)['mode'], 0o700);
  assert.deepEqual([contentOf('etc/a'), contentOf('etc/c'), all['z']], ['2', '1', '= y']);
});
