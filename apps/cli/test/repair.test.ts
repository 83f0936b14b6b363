// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { needsTool } from '@vouchsafe/testing';
import { image, overwrite } from './image.ts';
import { ENVIRONMENT, MAIN } from './support.ts';

const FEC = ['--fec-device', 'fec'];

test('copies are new files of their own: their mode is not that of what they are made from', (t) => {
  const { dir, root, run, read } = image(t, 100);
  const good = read('data');
  overwrite(join(dir, 'data'), 4096, 'damage');
  for (const name of ['data', 'hash']) chmodSync(join(dir, name), 0o444);
  const copies = ['--output-data', 'data.copy', '--output-hash', 'hash.copy'];
  const mended = run('repair', 'data', 'hash', root, ...FEC, ...copies);
  assert.equal(mended.code, 0, mended.stderr);
  assert.deepEqual(read('data.copy'), good);
  assert.deepEqual(read('hash.copy'), read('hash'));
  for (const name of ['data.copy', 'hash.copy']) assert.equal(statSync(join(dir, name)).mode & 0o600, 0o600);
  assert.equal(statSync(join(dir, 'data')).mode & 0o777, 0o444);
});

test('a copy is kept unless forced, and never takes the place of an input or of the other copy', (t) => {
  const { dir, root, run, read } = image(t, 100);
  const repair = (...args: string[]) => run('repair', 'data', 'hash', root, ...FEC, ...args);
  writeFileSync(join(dir, 'precious'), 'precious');
  const refused = repair('--output-data', 'precious');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /precious.*--force/);
  assert.equal(read('precious').toString(), 'precious');
  const before = readdirSync(dir);
  assert.equal(repair('--output-data', 'fec', '--force').code, 2);
  assert.equal(repair('--output-hash', './data', '--force').code, 2);
  assert.equal(repair('--output-data', 'x', '--output-hash', './x').code, 2);
  assert.deepEqual(readdirSync(dir), before);
  assert.equal(repair('--output-data', 'precious', '--force').code, 0);
  assert.deepEqual(read('precious'), read('data'));
});

test('a repair that cannot begin leaves no copy', (t) => {
  const { dir, root, run } = image(t, 100);
  const before = readdirSync(dir);
  const copies = ['--output-data', 'a', '--output-hash', 'b'];
  assert.equal(run('repair', 'data', 'hash', 'abcd', ...FEC, ...copies).code, 2);
  assert.equal(run('repair', 'data', 'hash', root, ...FEC, '--fec-roots', '24', ...copies).code, 3);
  assert.equal(run('repair', 'data', 'hash', root, '--fec-device', 'none', ...copies).code, 3);
  assert.deepEqual(readdirSync(dir), before);
});

test('a copy keeps the holes of what it is made from', (t) => {
  const { dir, root, run, read } = image(t, 1);
  truncateSync(join(dir, 'data'), 32 * 1024 * 1024);
  const made = run('format', 'data', 'hash', ...FEC, '--root-hash-file', 'root', '--force');
  assert.equal(made.code, 0, made.stderr);
  const sparse = statSync(join(dir, 'data'));
  const mended = run('repair', 'data', 'hash', read('root').toString(), ...FEC, '--output-data', 'copy');
  assert.equal(mended.code, 0, mended.stderr);
  const copy = statSync(join(dir, 'copy'));
  assert.equal(copy.size, sparse.size);
  assert.ok(copy.blocks <= sparse.blocks + 16, `${copy.blocks} blocks instead of ${sparse.blocks}`);
  assert.notEqual(root, read('root').toString());
});

test('data and tree in one file: one copy of both', (t) => {
  const { dir, run, read } = image(t, 100);
  const options = ['--hash-offset', '409600', '--data-blocks', '100', '--root-hash-file', 'root', '--force'];
  const made = run('format', 'data', 'data', ...options, ...FEC);
  assert.equal(made.code, 0, made.stderr);
  const good = read('data');
  overwrite(join(dir, 'data'), 4096, 'damage');
  overwrite(join(dir, 'data'), 409_600 + 4096 + 100, 'damage');
  const where = ['--hash-offset', '409600', '--output-data', 'copy', '--output-hash', 'copy'];
  const mended = run('repair', 'data', 'data', read('root').toString(), ...FEC, ...where);
  assert.equal(mended.code, 0, mended.stderr);
  assert.deepEqual(read('copy'), good);
  assert.notDeepEqual(read('data'), good);
});

test('without a superblock the blocks are counted where nobody says how many there are', (t) => {
  const { dir, run, read } = image(t, 100);
  const bare = ['--no-superblock', '--salt', 'dada', '--hash-offset', '8192'];
  assert.equal(run('format', 'data', 'bare', ...bare, '--fec-device', 'fec2', '--root-hash-file', 'root2').code, 0);
  const good = read('data');
  overwrite(join(dir, 'data'), 99 * 4096, 'damage');
  const mended = run('repair', 'data', 'bare', '--root-hash-file', 'root2', ...bare, '--fec-device', 'fec2', '--json');
  assert.equal(mended.code, 0, mended.stderr);
  assert.deepEqual(JSON.parse(mended.stdout).repairedData, [99]);
  assert.deepEqual(read('data'), good);
});

test('options that say nothing together are refused', (t) => {
  const { root, run } = image(t, 1);
  const code = (...args: string[]) => run('repair', 'data', 'hash', root, ...args).code;
  assert.equal(code(), 2);
  assert.equal(code(...FEC, '--force'), 2);
  assert.equal(code(...FEC, '--output-data', '-'), 2);
});

test('what is left after a repair is not to be repaired again, and the parity is questioned', (t) => {
  const { dir, root, run } = image(t, 100);
  // Three blocks of one round, of two that two roots can stand.
  for (const block of [0, 1, 2]) overwrite(join(dir, 'data'), block * 4096, 'damage');
  const left = run('repair', 'data', 'hash', root, ...FEC);
  assert.equal(left.code, 1);
  assert.doesNotMatch(left.stdout, /verity repair/);
  assert.match(left.stdout, /More damage than 2 parity bytes/);
  const more = run('repair', 'data', 'hash', root, ...FEC, '--fec-roots', '4');
  assert.equal(more.code, 3);
  assert.match(more.stderr, /fec: the parity has 8192 octets .* 4 roots need 16384; is --fec-roots right/);
  assert.equal(run('format', 'data', 'again', '--fec-device', 'fec4', '--fec-roots', '4').code, 0);
  const fewer = run('repair', 'data', 'hash', root, '--fec-device', 'fec4');
  assert.equal(fewer.code, 1);
  assert.match(fewer.stdout, /has 16384 octets, 2 roots need 8192: is --fec-roots right/);
});

test('a device is mended, and copied with all that is on it', needsTool('losetup'), (t) => {
  const { dir, root, run, read } = image(t, 100);
  const good = read('data');
  overwrite(join(dir, 'data'), 4096, 'damage');
  const device = loopDevice(dir, 'data');
  if (device === undefined) return t.skip('missing tool: loop devices');
  try {
    const copied = run('repair', device, 'hash', root, ...FEC, '--output-data', 'copy');
    assert.equal(copied.code, 0, copied.stderr);
    assert.deepEqual(read('copy'), good);
    const mended = run('repair', device, 'hash', root, ...FEC);
    assert.equal(mended.code, 0, mended.stderr);
  } finally {
    execFileSync('losetup', ['-d', device]);
  }
  assert.deepEqual(read('data'), good);
});

function loopDevice(cwd: string, file: string): string | undefined {
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', file], { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Of 12 000 data blocks. Each takes some 10 ms to mend. */
const ROUNDS = 48;

/** Takes a block of each round. */
function damageRounds(dir: string): void {
  overwrite(join(dir, 'data'), 0, new Uint8Array(ROUNDS * 4096));
}

/** Starts a repair that takes a while, and ends it when it has begun; what it says then. */
async function interruptedRepair(
  dir: string,
  root: string,
  hasBegun: () => boolean,
  args: readonly string[],
): Promise<string> {
  const all = ['verity', 'repair', 'data', 'hash', root, ...FEC, '--threads', '1', ...args];
  const child = spawn(process.execPath, [MAIN, ...all], {
    cwd: dir,
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr);
  const exited = once(child, 'exit');
  while (!hasBegun() && child.exitCode === null) await new Promise((r) => setTimeout(r, 5));
  child.kill('SIGINT');
  assert.deepEqual(await exited, [130, null]);
  return said;
}

test('an interrupted repair where it stands stops between two rounds, and can be run again', async (t) => {
  const { dir, root, run, read } = image(t, 12_000);
  const good = read('data');
  damageRounds(dir);
  const data = openSync(join(dir, 'data'), 'r');
  t.after(() => closeSync(data));
  const isMended = (block: number): boolean => {
    const now = new Uint8Array(4096);
    readSync(data, now, 0, now.length, block * 4096);
    return now.some((byte) => byte !== 0);
  };
  assert.match(await interruptedRepair(dir, root, () => isMended(0), []), /interrupted; what was mended .* stays/);
  assert.ok(isMended(0) && !isMended(ROUNDS - 1));
  assert.equal(run('repair', 'data', 'hash', root, ...FEC).code, 0);
  assert.deepEqual(read('data'), good);
});

test('an interrupted repair of copies leaves none', async (t) => {
  const { dir, root } = image(t, 12_000);
  damageRounds(dir);
  const before = readdirSync(dir);
  const hasBegun = () => readdirSync(dir).some((name) => name.includes('partial'));
  const said = await interruptedRepair(dir, root, hasBegun, ['--output-data', 'a', '--output-hash', 'b']);
  assert.match(said, /interrupted; nothing was left under a final name/);
  assert.deepEqual(readdirSync(dir), before);
});
