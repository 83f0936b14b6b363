// SPDX-License-Identifier: Apache-2.0
// Options: what a wrong value is, which go together, and trees that no superblock describes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { COMMANDS } from '../src/noun.ts';
import { vouchsafe } from './support.ts';
import { BLOCKS, damage, formatted, makeData } from './verity-support.ts';

const END = BLOCKS * 4096;

test('a wrong value of an option is wrong usage', (t) => {
  const dir = tempDir(t);
  makeData(dir, 4);
  const format = (...options: string[]) => vouchsafe(dir, 'verity', 'format', 'data', 'hash', ...options);
  for (const options of [
    ['--hash', 'md5'],
    ['--fec-device', 'fec', '--fec-roots', '25'],
    ['--fec-device', 'fec', '--fec-roots', '1'],
    ['--fec-device', 'fec', '--data-block-size', '512'],
    ['--fec-roots', '5'],
    ['--fec-offset', '4096'],
  ]) {
    const { code, stderr } = format(...options);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--(hash|fec-roots|fec-device|fec-offset)/);
  }
});

test('with a superblock, an option that says something else is refused and one that agrees is not', (t) => {
  const { dir, root } = formatted(t);
  const verify = (...options: string[]) => vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root, ...options);
  for (const [name, wrong, right] of [
    ['--data-blocks', '10', String(BLOCKS)],
    ['--data-block-size', '512', '4096'],
    ['--hash-block-size', '512', '4096'],
    ['--hash', 'sha1', 'SHA256'],
    ['--format', '0', '1'],
    ['--salt', '-', undefined],
  ] as const) {
    const refused = verify(name, wrong);
    assert.equal(refused.code, 2, name);
    assert.match(refused.stderr, new RegExp(`${name} says`));
    if (right !== undefined) assert.equal(verify(name, right).code, 0, name);
  }
  assert.equal(vouchsafe(dir, 'verity', 'read', 'data', 'hash', root, '--data-blocks', '10').code, 2);
});

test('without a superblock the blocks are counted as format counts them', (t) => {
  const dir = tempDir(t);
  makeData(dir);
  copyFileSync(join(dir, 'data'), join(dir, 'whole'));
  const bare = ['--no-superblock', '--salt', 'dada'];
  assert.equal(vouchsafe(dir, 'verity', 'format', 'data', 'hash', ...bare, '--root-hash-file', 'root').code, 0);
  const root = readFileSync(join(dir, 'root'), 'utf8');
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root, ...bare).code, 0);
  const missing = vouchsafe(dir, 'verity', 'verify', 'nothing', 'hash', root, ...bare);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /^vouchsafe: nothing: no such file/);
  assert.doesNotMatch(missing.stderr, /defect/);

  // A rest that is no whole block would not be protected.
  appendFileSync(join(dir, 'whole'), 'rest');
  for (const verb of ['verify', 'read']) {
    const odd = vouchsafe(dir, 'verity', verb, 'whole', 'hash', root, ...bare, ...(verb === 'read' ? ['-o', 'x'] : []));
    assert.equal(odd.code, 3);
    assert.match(odd.stderr, /--data-blocks/);
  }
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'whole', 'hash', root, ...bare, '--data-blocks', '300').code, 0);

  // Data and tree in one file: the data ends where the tree begins.
  const one = ['--hash-offset', String(END), ...bare];
  assert.equal(vouchsafe(dir, 'verity', 'format', 'data', 'data', ...one).code, 0);
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'data', 'data', root, ...one).code, 0);
  damage(join(dir, 'data'), 7 * 4096);
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'data', 'data', root, ...one).code, 1);
});

test('a tree behind the data, with a superblock', (t) => {
  const dir = tempDir(t);
  makeData(dir);
  const place = ['--hash-offset', String(END)];
  assert.equal(vouchsafe(dir, 'verity', 'format', 'data', 'data', ...place, '--root-hash-file', 'root').code, 0);
  const verify = ['verity', 'verify', 'data', 'data', '--root-hash-file', 'root'];
  assert.equal(vouchsafe(dir, ...verify, ...place).code, 0);
  assert.equal(vouchsafe(dir, ...verify).code, 3);
  assert.equal(vouchsafe(dir, 'verity', 'dump', 'data', ...place).code, 0);
});

const IS_ROOT = process.getuid?.() === 0;

/** A file as a block device. */
function loopDevice(t: TestContext, path: string): string | undefined {
  try {
    const device = execFileSync('losetup', ['--find', '--show', path], { encoding: 'utf8', stdio: 'pipe' }).trim();
    t.after(() => execFileSync('losetup', ['--detach', device]));
    return device;
  } catch {
    return undefined;
  }
}

test('block devices are counted and checked as files are', needsTool('losetup'), (t) => {
  if (!IS_ROOT) return t.skip('missing tool: root');
  const { dir, root } = formatted(t);
  truncateSync(join(dir, 'hash'), 64 * 4096);
  const data = loopDevice(t, join(dir, 'data'));
  const hash = loopDevice(t, join(dir, 'hash'));
  if (data === undefined || hash === undefined) return t.skip('missing tool: loop devices');
  assert.equal(vouchsafe(dir, 'verity', 'verify', data, hash, root).code, 0);
  const bare = ['--no-superblock', '--salt', 'dada'];
  const made = vouchsafe(dir, 'verity', 'format', data, 'bare', ...bare, '--json');
  assert.equal(made.code, 0, made.stderr);
  assert.equal(JSON.parse(made.stdout).dataBlocks, BLOCKS);
  const { rootHash } = JSON.parse(made.stdout);
  const checked = vouchsafe(dir, 'verity', 'verify', data, 'bare', rootHash, ...bare);
  assert.equal(checked.code, 0, checked.stderr);
});

test('every verb has --json, and what comes before a verb has it too', async (t) => {
  const dir = tempDir(t);
  for (const [words] of COMMANDS) {
    await t.test(words.join(' '), () => assert.match(vouchsafe(dir, ...words, '-h').stdout, /^ +--json/m));
  }
  for (const words of [[], ['verity']]) {
    const { code, stdout } = vouchsafe(dir, ...words, '--json');
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).error.code, 'usage');
  }
  assert.equal(JSON.parse(vouchsafe(dir, '--json', 'verity', 'dump', 'nothing').stdout).error.code, 'not_found');
  // Behind -- it is the name of a file.
  assert.equal(vouchsafe(dir, 'verity', 'dump', '--', '--json').stdout, '');
});
