// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { toHex, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { type CpioMember, type TreeEntry, writeCpio } from '@vouchsafe/disk';
import { needsTool } from '@vouchsafe/testing';
import { listedFiles, listedInitrdFiles, listedStubFiles } from '../src/build/listed-files.ts';
import { directory, file, link } from './made-disk.ts';

const sha256 = (text: string): string => toHex(digest('sha256', utf8(text)));

const TREE: readonly TreeEntry[] = [
  directory(''),
  directory('usr'),
  file('usr/tool', 'tool', 0o755),
  file('usr/data', 'data'),
  link('usr/alias', 'tool'),
  { kind: 'hardlink', path: 'usr/other', target: 'usr/tool' },
];

test('files stand in the list as the running system sees them, each hard link by its name, links not at all', async () => {
  assert.deepEqual(await listedFiles(TREE), [
    { path: '/usr/tool', sizeBytes: 4, sha256: sha256('tool'), isExecutable: true },
    { path: '/usr/data', sizeBytes: 4, sha256: sha256('data'), isExecutable: false },
    { path: '/usr/other', sizeBytes: 4, sha256: sha256('tool'), isExecutable: true },
  ]);
  const below = await listedFiles([directory(''), file('bin/tool', 'tool', 0o755)], '/usr');
  assert.deepEqual(
    below.map(({ path }) => path),
    ['/usr/bin/tool'],
  );
});

function archive(members: readonly CpioMember[]): Uint8Array {
  const sink = new MemorySink(1 << 20);
  writeCpio(sink, members);
  return sink.bytes();
}
const member = (path: string, text: string): CpioMember => ({
  path,
  mode: 0o100755,
  content: memorySource(utf8(text), path),
});

test('of initrds over each other the later file counts, compressed or not', async () => {
  const first = memorySource(zstdCompressSync(archive([member('init', 'old'), member('tool', 'tool')])), 'first');
  const second = memorySource(archive([member('init', 'new')]), 'second');
  const listed = await listedInitrdFiles([first, second]);
  assert.deepEqual(listed.map(({ path, sha256 }) => [path, sha256]).sort(), [
    ['/init', sha256('new')],
    ['/tool', sha256('tool')],
  ]);
});

test('what the stub puts beside the initrds is listed where the running system has it', () => {
  assert.deepEqual(listedStubFiles([]), []);
  const content = memorySource(utf8('a credential'), 'site.cred');
  assert.deepEqual(listedStubFiles([{ path: '/.extra/credentials/site.cred', content }]), [
    { path: '/.extra/credentials/site.cred', sizeBytes: 12, sha256: sha256('a credential'), isExecutable: false },
  ]);
});

test('a compression that is not read is said by code', async () => {
  await assert.rejects(listedInitrdFiles([memorySource(utf8('BZh91AY&SY'.padEnd(600, 'x')), 'bz')]), {
    code: 'compression_unsupported',
  });
});

test('an initrd that cpio wrote: what sha256sum says of its files', needsTool('cpio', 'sha256sum'), async () => {
  const folder = '/';
  const names = ['etc/passwd', 'etc/group'];
  const packed = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: folder, input: `${names.join('\n')}\n` });
  const sums = execFileSync('sha256sum', names, { cwd: folder }).toString().trim().split('\n');
  const listed = await listedInitrdFiles([memorySource(new Uint8Array(packed), 'cpio')]);
  assert.deepEqual(listed.map(({ path, sha256 }) => `${sha256}  ${path.slice(1)}`).sort(), sums.sort());
});
