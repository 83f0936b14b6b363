// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { type Outcome, vouchsafe } from './support.ts';

const KEYS = fileURLToPath(new URL('../../../packages/verity/testdata/signature', import.meta.url));
const SIGNED = ['--key', join(KEYS, 'test-only.key'), '--certificate', join(KEYS, 'test-only.pem')];

const FILES: Readonly<Record<string, string>> = {
  'repart.d/00-esp.conf': 'Type=esp\nFormat=vfat\nCopyFiles=/efi:/\nSizeMinBytes=40M\nSizeMaxBytes=40M',
  'repart.d/10-root.conf':
    'Type=root\nLabel=os_%w\nFormat=erofs\nCopyFiles=/tree:/\nMakeDirectories=/proc\nVerity=data\nVerityMatchKey=root',
  'repart.d/11-root-verity.conf': 'Type=root-verity\nVerity=hash\nVerityMatchKey=root',
  'repart.d/12-root-verity-sig.conf': 'Type=root-verity-sig\nVerity=signature\nVerityMatchKey=root',
  'repart.d/20-var.conf': 'Type=var\nSizeMinBytes=1M',
  'repart.d/readme.txt': 'not a definition',
  'source/tree/etc/os-release': 'ID=testos\nVERSION_ID=7\n',
  'source/tree/usr/bin/tool': 'tool',
  'source/etc/os-release': 'ID=testos\nVERSION_ID=7\n',
  'source/efi/loader/loader.conf': 'timeout 3\n',
  'ext/usr/bin/tool': 'tool',
  'hosts-release': 'ID=testos\nVERSION_ID=7\nPRETTY_NAME="Test OS"\n',
};

function scene(t: TestContext): { readonly dir: string; readonly run: (...args: string[]) => Outcome } {
  const dir = tempDir(t);
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(dir, dirname(path)), { recursive: true });
    writeFileSync(join(dir, path), path.startsWith('repart.d') ? `[Partition]\n${text}\n` : text);
  }
  return { dir, run: (...args) => vouchsafe(dir, 'image', ...args) };
}

const made = ['disk', 'repart.d', '--copy-source', 'source', '--all-root', ...SIGNED];

test(
  'a disk from definitions: twice the same, in two folders, from a folder and from a tar archive',
  needsTool('tar'),
  (t) => {
    const [one, two] = [scene(t), scene(t)];
    const first = one.run(...made, '--json', '-o', 'a.raw');
    assert.equal(first.code, 0, first.stderr);
    assert.equal(two.run(...made, '-o', 'b.raw').code, 0);
    const bytes = readFileSync(join(one.dir, 'a.raw'));
    assert.ok(bytes.equals(readFileSync(join(two.dir, 'b.raw'))));
    execFileSync('tar', ['-C', join(two.dir, 'source'), '--sort=name', '-cf', join(two.dir, 'source.tar'), '.']);
    const archived = two.run('disk', 'repart.d', '--copy-source', 'source.tar', '--all-root', ...SIGNED, '-o', 'c.raw');
    assert.equal(archived.code, 0, archived.stderr);
    assert.ok(bytes.equals(readFileSync(join(two.dir, 'c.raw'))));
    const document = JSON.parse(first.stdout);
    assert.deepEqual(
      document.partitions.map(({ label, type }: { label: string; type: string }) => [label, type]),
      [
        ['esp', 'esp'],
        ['os_7', 'root-x86-64'],
        ['root-x86-64-verity', 'root-x86-64-verity'],
        ['root-x86-64-verity-sig', 'root-x86-64-verity-sig'],
        ['var', 'var'],
      ],
    );
    assert.match(document.rootHashes.root, /^[0-9a-f]{64}$/);
  },
);

test('it is looked into, checked, taken apart, and compared with another', (t) => {
  const { dir, run } = scene(t);
  assert.equal(run(...made, '-o', 'a.raw').code, 0);
  const inspected = JSON.parse(run('inspect', 'a.raw', '--json').stdout);
  assert.deepEqual([inspected.kind, inspected.partitions.length, inspected.verity.length], ['disk', 5, 1]);
  assert.match(run('inspect', 'a.raw').stdout, /os-release:\n\s+ID=testos/);
  const verified = run('verify', 'a.raw', '--key', join(KEYS, 'test-only.pem'), '--json');
  assert.equal(verified.code, 0, verified.stdout);
  assert.equal(JSON.parse(verified.stdout).roots[0].rootHash, inspected.verity[0].rootHash);
  assert.equal(
    run('extract', 'a.raw', '--partition', 'root', '--path', 'etc/os-release', '-o', '-').stdout,
    FILES['source/tree/etc/os-release'],
  );
  assert.equal(run('extract', 'a.raw', '--partition', 'root', '--tree', '-o', 'out').code, 0);
  assert.ok(statSync(join(dir, 'out/proc')).isDirectory());
  assert.equal(run('extract', 'a.raw', '--partition', 'root', '--tree', '-o', 'out').code, 3);
  assert.equal(run('extract', 'a.raw', '--partition', 'esp', '-o', 'esp.img').code, 0);
  assert.equal(run('extract', 'a.raw', '--partition', 'esp', '-o', 'esp.img').code, 3);
  assert.match(run('inspect', 'esp.img').stdout, /loader\/loader\.conf/);
  assert.equal(run('diff', 'a.raw', 'a.raw').code, 0);
  writeFileSync(join(dir, 'source/tree/usr/bin/tool'), 'tool 2');
  chmodSync(join(dir, 'source/tree/etc/os-release'), 0o600);
  assert.equal(run(...made, '-o', 'b.raw').code, 0);
  const difference = run('diff', 'a.raw', 'b.raw');
  assert.equal(difference.code, 1);
  assert.match(difference.stdout, /usr\/bin\/tool: content/);
  assert.match(difference.stdout, /etc\/os-release: mode\n\s+- 0644\n\s+\+ 0600/);
  const bytes = readFileSync(join(dir, 'a.raw'));
  const { offsetBytes } = inspected.partitions[1];
  bytes[offsetBytes + 5] = 1;
  writeFileSync(join(dir, 'bad.raw'), bytes);
  const bad = run('verify', 'bad.raw');
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /verity_data_corrupt/);
});

test('a slot for the next version', (t) => {
  const { dir, run } = scene(t);
  assert.equal(run(...made, '--ab', '-o', 'a.raw').code, 0);
  const { partitions } = JSON.parse(run('inspect', 'a.raw', '--json').stdout);
  const shown = partitions.map(({ label, sizeBytes }: { label: string; sizeBytes: number }) => [label, sizeBytes]);
  assert.deepEqual(
    shown.slice(4, 7).map(([label]: [string]) => label),
    ['_empty', '_empty', '_empty'],
  );
  for (const i of [1, 2, 3]) assert.equal(shown[i][1], shown[i + 3][1]);
  assert.equal(run('verify', 'a.raw').code, 0);
  assert.ok(existsSync(join(dir, 'a.raw')));
});

test('the root hash before there is anything to boot it', (t) => {
  const { dir, run } = scene(t);
  const partly = run(
    ...made,
    '--exclude-partitions',
    'esp,var',
    '--root-hash-file',
    'roothash',
    '-o',
    'a.raw',
    '--json',
  );
  const whole = run(...made, '-o', 'b.raw', '--json');
  const { rootHashes, partitions } = JSON.parse(partly.stdout);
  assert.equal(partitions.length, 3);
  assert.deepEqual(rootHashes, JSON.parse(whole.stdout).rootHashes);
  assert.equal(readFileSync(join(dir, 'roothash'), 'utf8'), rootHashes.root);
  assert.equal(run(...made, '--exclude-partitions', 'esq', '-o', 'c.raw').code, 2);
});

test('what definitions and options may not say', (t) => {
  const { dir, run } = scene(t);
  const code = (...args: string[]): number | null => run('disk', ...args, '-o', 'x.raw').code;
  mkdirSync(join(dir, 'plain.d'));
  writeFileSync(join(dir, 'plain.d/a.conf'), '[Partition]\nType=root\nFormat=erofs\nCopyFiles=/\n');
  assert.equal(code('plain.d'), 2, 'no --copy-source');
  assert.equal(code('repart.d'), 3, 'nothing that %w stands for');
  assert.equal(code('repart.d', '--copy-source', 'source'), 3, 'a signature without a key');
  assert.equal(code('repart.d', '--copy-source', 'source', '--key', join(KEYS, 'test-only.key')), 2, 'no certificate');
  assert.equal(code('source', '--copy-source', 'source'), 2, 'no definitions');
  assert.equal(code('nothing', '--copy-source', 'source'), 3, 'no folder');
  writeFileSync(join(dir, 'repart.d/30-x.conf'), '[Partition]\nType=root\nEncrypt=tpm2\n');
  assert.equal(code('repart.d', '--copy-source', 'source', ...SIGNED), 3, 'what is not done here');
  assert.equal(existsSync(join(dir, 'x.raw')), false);
});

test('extensions: made with their release file, refused without, checked by name', (t) => {
  const { dir, run } = scene(t);
  assert.equal(run('sysext', 'ext', '-o', 'tools.raw').code, 1);
  assert.equal(existsSync(join(dir, 'tools.raw')), false);
  const args = ['sysext', 'ext', '--os-release', 'hosts-release', '--all-root', ...SIGNED];
  assert.equal(run(...args, '-o', 'tools.raw').code, 0);
  assert.equal(run('verify', 'tools.raw').code, 0);
  cpSync(join(dir, 'tools.raw'), join(dir, 'renamed.raw'));
  assert.equal(run('verify', 'renamed.raw').code, 1);
  assert.equal(run('verify', 'renamed.raw', '--name', 'tools').code, 0);
  assert.equal(run(...args, '--relaxed-name', '-o', 'relaxed.raw').code, 0);
  cpSync(join(dir, 'relaxed.raw'), join(dir, 'other.raw'));
  assert.equal(run('verify', 'other.raw').code, 0);
  const release = run(
    'extract',
    'tools.raw',
    '--partition',
    'root',
    '--path',
    'usr/lib/extension-release.d/extension-release.tools',
    '-o',
    '-',
  );
  assert.equal(release.stdout, 'ID=testos\nVERSION_ID=7\nARCHITECTURE=x86-64\n');
  assert.equal(run('confext', 'source/tree', '--any-host', '-o', 'settings.confext.raw').code, 0);
  assert.equal(run('sysext', 'ext', '--any-host', '--os-release', 'hosts-release', '-o', 'x.raw').code, 2);
  assert.equal(run('portable', 'ext', '-o', 'app_1.raw').code, 1);
});

test('image policies, alone and on a disk', (t) => {
  const { run } = scene(t);
  assert.equal(run('policy', 'root=signed').code, 0);
  assert.equal(run('policy', 'root=signed+verity').code, 1);
  assert.equal(run('policy', 'root').code, 3);
  assert.equal(run(...made, '-o', 'a.raw').code, 0);
  assert.equal(run('policy', 'root=signed', 'a.raw').code, 0);
  assert.equal(run('policy', 'root=signed:usr=signed', 'a.raw').code, 1);
  const { outcomes, isTaken } = JSON.parse(run('policy', 'root=encrypted', 'a.raw', '--json').stdout);
  assert.equal(isTaken, false);
  assert.equal(outcomes[0].designator, 'root');
});
