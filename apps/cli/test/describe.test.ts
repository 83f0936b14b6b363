// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { image } from './image.ts';

const SALT = ['--salt', 'dada'];

test('all forms, each with its name; one alone', (t) => {
  const { root, run } = image(t, 100, ...SALT);
  const all = run('describe', 'hash', root);
  assert.equal(all.code, 0, all.stderr);
  assert.deepEqual(
    [...all.stdout.matchAll(/^# ([a-z-]+)$/gm)].map((match) => match[1]),
    ['systemd', 'usr', 'cc', 'dm-mod', 'dmsetup', 'loadpin'],
  );
  assert.match(all.stderr, /kata is left out.*--no-superblock/);
  assert.equal(run('describe', 'hash', root, '--for', 'systemd').stdout, `roothash=${root}\n`);
});

test('a form that would not work is an error alone, and null among all', (t) => {
  const { root, run } = image(t, 100, ...SALT);
  const alone = run('describe', 'hash', root, '--for', 'kata');
  assert.deepEqual([alone.code, alone.stdout], [2, '']);
  assert.match(alone.stderr, /--for kata: .*--no-superblock/);
  const all = run('describe', 'hash', root, '--json');
  assert.equal(all.code, 0);
  const { kata, obstacles, systemd } = JSON.parse(all.stdout);
  assert.deepEqual([kata, Object.keys(obstacles), systemd], [null, ['kata'], `roothash=${root}`]);
  assert.deepEqual(JSON.parse(run('describe', 'hash', root, '--for', 'usr', '--json').stdout), {
    usr: `usrhash=${root}`,
    obstacles: {},
  });
});

test('the root hash is checked against the tree', (t) => {
  const { dir, root, run } = image(t, 100, ...SALT);
  const other = `${root.slice(0, -1)}${root.endsWith('0') ? '1' : '0'}`;
  const no = run('describe', 'hash', other, '--json');
  assert.deepEqual([no.code, JSON.parse(no.stdout).error.code], [1, 'root_mismatch']);
  assert.equal(run('describe', 'hash', 'abcd').code, 2);
  truncateSync(join(dir, 'hash'), 4096);
  assert.equal(run('describe', 'hash', root).code, 3);
});

test('the kernel finds partitions by UUID while it boots, and by path after that', (t) => {
  const { root, run } = image(t, 100, ...SALT);
  const uuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const [data, hash] = [uuid(root.slice(0, 32)), uuid(root.slice(-32))];
  const table = (dataDevice: string, hashDevice: string) =>
    `0 800 verity 1 ${dataDevice} ${hashDevice} 4096 4096 100 1 sha256 ${root} dada`;
  const line = (...options: string[]) => run('describe', 'hash', root, '--for', ...options).stdout.trim();
  const byUuid = table(`PARTUUID=${data}`, `PARTUUID=${hash}`);
  assert.equal(line('dm-mod', '--name', 'r'), `dm-mod.create="r,,,ro,${byUuid}"`);
  const byPath = (name: string) => `/dev/disk/by-partuuid/${name}`;
  assert.equal(line('dmsetup'), table(byPath(data), byPath(hash)));
  const named = ['--data-device', '/dev/sda', '--hash-device', 'PARTUUID=ABCD-01'];
  assert.equal(line('dmsetup', ...named), table('/dev/sda', byPath('abcd-01')));
});

test('named devices, and a tree without a superblock or not at the start, are told to systemd', (t) => {
  const { run, read } = image(t, 100, ...SALT);
  const devices = ['--data-device', '/dev/sda', '--hash-device', '/dev/sdb'];
  const root = read('root').toString();
  const words = (...options: string[]) => {
    const { code, stdout, stderr } = run('describe', ...options, '--for', 'usr');
    assert.equal(code, 0, stderr);
    return stdout.trim().split(' ');
  };
  assert.deepEqual(words('hash', root, ...devices), [
    `usrhash=${root}`,
    'systemd.verity_usr_data=/dev/sda',
    'systemd.verity_usr_hash=/dev/sdb',
  ]);
  const bare = ['--no-superblock', '--hash-offset', '8192', '--salt', 'dada'];
  assert.equal(run('format', 'data', 'bare', ...bare).code, 0);
  const options = words('bare', root, ...bare, '--data-blocks', '100')[1] ?? '';
  for (const one of ['superblock=no', 'hash-offset=8192', 'salt=dada', 'data-blocks=100']) {
    assert.ok(
      options
        .replace(/^systemd.verity_usr_options=/, '')
        .split(',')
        .includes(one),
      one,
    );
  }
  assert.equal(run('describe', 'bare', root, ...bare).code, 2, 'the blocks cannot be counted');
});

test('parity and what to do about damage', (t) => {
  const { root, run } = image(t, 100, ...SALT);
  const options = ['--fec-device', '/dev/sdc', '--fec-offset', '8192', '--fec-roots', '2', '--panic-on-corruption'];
  const table = (...more: string[]) => run('describe', 'hash', root, '--for', 'dmsetup', ...options, ...more).stdout;
  // 100 data blocks, and one hash block.
  const parity = 'use_fec_from_device /dev/sdc fec_start 2 fec_blocks 101 fec_roots 2';
  assert.match(table(), new RegExp(` dada 9 panic_on_corruption ${parity}\n$`));
  const signed = table('--root-hash-sig-key-desc', 'root:1', '--ignore-zero-blocks');
  assert.match(
    signed,
    new RegExp(` 12 panic_on_corruption ignore_zero_blocks ${parity} root_hash_sig_key_desc root:1\n$`),
  );
  // Behind the tree on its device it ends the hash area; that device is the same by either name.
  const hashDevice = ['--hash-device', 'PARTUUID=12-34'];
  const inHash = ['--fec-device', '/dev/disk/by-partuuid/12-34', '--fec-offset', '16384'];
  assert.match(table(...hashDevice, ...inHash), / fec_start 4 fec_blocks 103 /);
  const code = (...args: string[]) => run('describe', 'hash', root, ...args).code;
  assert.equal(code('--fec-roots', '4'), 2);
  assert.equal(code('--fec-device', 'x', '--fec-offset', '512'), 2);
  assert.equal(code('--panic-on-corruption', '--restart-on-corruption'), 2);
  assert.equal(code('--for', 'cc', '--ignore-zero-blocks'), 2);
});

test('a root hash that is too short to find partitions by needs devices named', (t) => {
  const { root, run } = image(t, 100, '--hash', 'sha1');
  const dmsetup = ['describe', 'hash', root, '--for', 'dmsetup'];
  assert.equal(run(...dmsetup).code, 2);
  assert.equal(run(...dmsetup, '--data-device', '/dev/sda', '--hash-device', '/dev/sdb').code, 0);
});
