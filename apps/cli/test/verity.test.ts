// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { ENVIRONMENT, MAIN, vouchsafe } from './support.ts';
import { BLOCKS, damage, formatted, makeData } from './verity-support.ts';

const OPTIONS = ['--salt', 'dada', '--uuid', 'a60c98d2-ae9b-4865-bfcb-b4e3ace11033'];

test('format and dump print what veritysetup prints', needsTool('veritysetup'), (t) => {
  const dir = tempDir(t);
  makeData(dir);
  const run = (...args: string[]) => execFileSync('veritysetup', args, { cwd: dir, encoding: 'utf8' });
  const fec = ['--fec-device', 'fec', '--fec-roots', '4'];
  const ours = vouchsafe(dir, 'verity', 'format', 'data', 'ours', ...OPTIONS, ...fec);
  assert.equal(ours.code, 0, ours.stderr);
  const theirs = run('format', 'data', 'theirs', ...OPTIONS, ...fec);
  assert.equal(ours.stdout.replace('for ours', 'for theirs'), theirs);
  assert.deepEqual(readFileSync(join(dir, 'ours')), readFileSync(join(dir, 'theirs')));
  assert.equal(vouchsafe(dir, 'verity', 'dump', 'theirs').stdout, run('dump', 'theirs'));
});

test('without a salt the same data gives the same tree', (t) => {
  const { dir } = formatted(t);
  assert.equal(vouchsafe(dir, 'verity', 'format', 'data', 'again').code, 0);
  assert.deepEqual(readFileSync(join(dir, 'again')), readFileSync(join(dir, 'hash')));
});

test('an existing file is kept, unless forced', (t) => {
  const { dir } = formatted(t);
  writeFileSync(join(dir, 'precious'), 'precious');
  const refused = vouchsafe(dir, 'verity', 'format', 'data', 'precious');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /precious.*--force/);
  assert.equal(readFileSync(join(dir, 'precious'), 'utf8'), 'precious');
  assert.equal(vouchsafe(dir, 'verity', 'format', 'data', 'precious', '--force').code, 0);
  assert.deepEqual(readFileSync(join(dir, 'precious')), readFileSync(join(dir, 'hash')));
});

test('verify says yes with 0 and no with 1, and names the blocks', (t) => {
  const { dir, root } = formatted(t);
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root).code, 0);
  assert.equal(vouchsafe(dir, 'verity', 'verify', 'data', 'hash', '--root-hash-file', 'root').code, 0);
  damage(join(dir, 'data'), 7 * 4096);
  const no = vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root, '--json');
  assert.equal(no.code, 1);
  const { isGood, findings } = JSON.parse(no.stdout);
  assert.equal(isGood, false);
  assert.deepEqual(
    findings.map((f: { code: string; where: { block: number } }) => [f.code, f.where.block]),
    [['verity_data_corrupt', 7]],
  );
  const wrong = vouchsafe(dir, 'verity', 'verify', 'data', 'hash', '00'.repeat(32));
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /verity_root_mismatch/);
});

test('repair mends data and tree where they stand, or copies of them', (t) => {
  const { dir, root } = formatted(t);
  for (const name of ['data', 'hash']) copyFileSync(join(dir, name), join(dir, `${name}.good`));
  damage(join(dir, 'data'), 7 * 4096);
  damage(join(dir, 'hash'), 2 * 4096 + 100);
  const copies = ['--output-data', 'data.copy', '--output-hash', 'hash.copy'];
  assert.equal(vouchsafe(dir, 'verity', 'repair', 'data', 'hash', root, '--fec-device', 'fec', ...copies).code, 0);
  assert.notDeepEqual(readFileSync(join(dir, 'data')), readFileSync(join(dir, 'data.good')));
  const mended = vouchsafe(dir, 'verity', 'repair', 'data', 'hash', root, '--fec-device', 'fec', '--json');
  assert.equal(mended.code, 0, mended.stderr);
  assert.deepEqual(JSON.parse(mended.stdout).repairedData, [7]);
  for (const name of ['data', 'hash']) {
    assert.deepEqual(readFileSync(join(dir, name)), readFileSync(join(dir, `${name}.good`)));
    assert.deepEqual(readFileSync(join(dir, `${name}.copy`)), readFileSync(join(dir, `${name}.good`)));
  }
});

test('verify says what of the damage a parity can mend', (t) => {
  const { dir, root } = formatted(t);
  const verify = (...options: string[]) =>
    vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root, '--fec-device', 'fec', ...options);
  assert.deepEqual(JSON.parse(verify('--json').stdout).repairable, { blocks: 0, isAll: true });
  // The data block is under the hash block, and comes to light only when that is mended.
  damage(join(dir, 'data'), 7 * 4096);
  damage(join(dir, 'hash'), 2 * 4096 + 100);
  const before = ['data', 'hash'].map((name) => readFileSync(join(dir, name)));
  const no = verify('--json');
  assert.equal(no.code, 1);
  assert.deepEqual(JSON.parse(no.stdout).repairable, { blocks: 2, isAll: true });
  assert.match(verify().stdout, /2 blocks can be mended/);
  assert.deepEqual(
    ['data', 'hash'].map((name) => readFileSync(join(dir, name))),
    before,
  );
  // Three in one codeword are more than two parity bytes cover.
  const rounds = Math.ceil((BLOCKS + 4) / 253);
  for (let i = 0; i < 3; i++) damage(join(dir, 'data'), (20 + i * rounds) * 4096);
  assert.equal(JSON.parse(verify('--json').stdout).repairable.isAll, false);
  const short = verify('--fec-roots', '4');
  assert.equal(short.code, 3);
  assert.match(short.stderr, /--fec-roots/);
});

test('read gives the data, and never a damaged block', (t) => {
  const { dir, root } = formatted(t);
  const good = vouchsafe(
    dir,
    'verity',
    'read',
    'data',
    'hash',
    root,
    '--offset',
    '4090',
    '--length',
    '10',
    '-o',
    'part',
  );
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(readFileSync(join(dir, 'part')), readFileSync(join(dir, 'data')).subarray(4090, 4100));
  damage(join(dir, 'data'), 4096);
  const bad = vouchsafe(dir, 'verity', 'read', 'data', 'hash', root, '--offset', '4090', '--length', '10', '-o', 'bad');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /data block 1 /);
  assert.ok(!readdirSync(dir).some((name) => name.includes('bad')));
});

test('a signature of the root hash is made and checked', needsTool('openssl'), (t) => {
  const { dir, root } = formatted(t);
  for (const name of ['a', 'b']) {
    const subject = ['-subj', `/CN=${name}`];
    const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', `${name}.key`, '-out', `${name}.crt`];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject], { cwd: dir, stdio: 'ignore' });
  }
  const sign = vouchsafe(dir, 'verity', 'sign', root, '--key', 'a.key', '--certificate', 'a.crt', '-o', 'sig');
  assert.equal(sign.code, 0, sign.stderr);
  const verify = (certificate: string) =>
    vouchsafe(
      dir,
      'verity',
      'verify',
      'data',
      'hash',
      root,
      '--root-hash-signature',
      'sig',
      '--certificate',
      certificate,
    );
  assert.equal(verify('a.crt').code, 0);
  assert.equal(verify('b.crt').code, 1);
  writeFileSync(join(dir, 'root.txt'), root);
  const content = ['-binary', '-content', 'root.txt', '-inform', 'DER', '-in', 'sig', '-CAfile', 'a.crt'];
  execFileSync('openssl', ['cms', '-verify', ...content, '-purpose', 'any'], { cwd: dir, stdio: 'pipe' });
});

test('wrong usage is 2, what cannot be read is 3, each with the next step', (t) => {
  const { dir, root } = formatted(t);
  const code = (...args: string[]) => vouchsafe(dir, 'verity', ...args).code;
  assert.equal(code('format', 'data'), 2);
  assert.equal(code('format', 'data', 'x', '--data-block-size', '1000'), 2);
  assert.equal(code('format', 'data', 'x', '--salt', 'xyz'), 2);
  assert.equal(code('format', 'data', 'x', '--no-such-option'), 2);
  assert.equal(code('no-such-verb'), 2);
  assert.equal(code('verify', 'data', 'hash'), 2);
  assert.equal(code('verify', 'data', 'hash', 'abcd'), 2);
  assert.equal(code('verify', 'nothing', 'hash', root), 3);
  assert.equal(code('dump', 'data'), 3);
  truncateSync(join(dir, 'data'), 4096 * BLOCKS - 1);
  const odd = vouchsafe(dir, 'verity', 'format', 'data', 'x', '--json');
  assert.equal(odd.code, 3);
  assert.equal(JSON.parse(odd.stdout).error.code, 'data_size');
  assert.match(odd.stderr, /--data-blocks/);
  assert.ok(!readdirSync(dir).includes('x'));
});

test('an interrupted run leaves nothing', async (t) => {
  const dir = tempDir(t);
  makeData(dir, 1);
  truncateSync(join(dir, 'data'), 64 * 2 ** 30);
  const args = ['verity', 'format', 'data', 'hash', '--threads', '1'];
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: dir, env: ENVIRONMENT, stdio: 'ignore' });
  const exited = once(child, 'exit');
  // It has begun when the partial output is there.
  while (!readdirSync(dir).some((name) => name.includes('partial'))) await new Promise((r) => setTimeout(r, 5));
  child.kill('SIGINT');
  assert.deepEqual(await exited, [130, null]);
  assert.deepEqual(readdirSync(dir), ['data']);
});
