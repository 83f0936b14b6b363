// SPDX-License-Identifier: Apache-2.0
// No output takes the place of an input or of another output, and standard streams stand in for files.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { ENVIRONMENT, MAIN, vouchsafe } from './support.ts';
import { formatted, makeData } from './verity-support.ts';

/** All files of a folder, by name. */
function contents(dir: string): Record<string, string> {
  return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'base64')]));
}

/** Runs what must be refused as wrong usage, and asserts that nothing has changed. */
function refused(dir: string, ...args: string[]): void {
  const before = contents(dir);
  const { code, stderr } = vouchsafe(dir, ...args);
  assert.equal(code, 2, `${args.join(' ')}\n${stderr}`);
  assert.deepEqual(contents(dir), before, args.join(' '));
}

test('format refuses to write the root hash over the data, the tree or the parity', (t) => {
  const { dir } = formatted(t);
  symlinkSync('data', join(dir, 'link'));
  const again = ['verity', 'format', 'data', 'hash', '--fec-device', 'fec', '--force'];
  for (const name of ['data', 'hash', 'fec', './data', 'link']) refused(dir, ...again, '--root-hash-file', name);
  const fresh = tempDir(t);
  makeData(fresh);
  refused(fresh, 'verity', 'format', 'data', 'hash', '--root-hash-file', 'hash');
  refused(fresh, 'verity', 'format', 'data', 'hash', '--fec-device', 'fec', '--root-hash-file', './fec');
});

test('format keeps all of its outputs back when one fails', (t) => {
  const dir = tempDir(t);
  makeData(dir);
  const { code } = vouchsafe(dir, 'verity', 'format', 'data', 'hash', '--root-hash-file', 'no-folder/root');
  assert.equal(code, 3);
  assert.deepEqual(readdirSync(dir), ['data']);
});

test('read and sign refuse to write over what they read', needsTool('openssl'), (t) => {
  const { dir, root } = formatted(t);
  const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', 'key', '-out', 'crt', '-subj', '/CN=a'];
  execFileSync('openssl', ['req', '-x509', ...key], { cwd: dir, stdio: 'ignore' });
  for (const name of ['data', 'hash']) refused(dir, 'verity', 'read', 'data', 'hash', root, '-o', name, '--force');
  refused(dir, 'verity', 'read', 'data', 'hash', '--root-hash-file', 'root', '-o', 'root', '--force');
  const sign = ['verity', 'sign', '--root-hash-file', 'root', '--key', 'key', '--certificate', 'crt', '--force', '-o'];
  for (const name of ['key', 'crt', 'root']) refused(dir, ...sign, name);
});

test('- is standard output', needsTool('openssl'), (t) => {
  const { dir, root } = formatted(t);
  const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', 'key', '-out', 'crt', '-subj', '/CN=a'];
  execFileSync('openssl', ['req', '-x509', ...key], { cwd: dir, stdio: 'ignore' });
  const sign = ['verity', 'sign', root, '--key', 'key', '--certificate', 'crt', '-o'];
  assert.equal(vouchsafe(dir, ...sign, 'sig').code, 0);
  const run = spawnSync(process.execPath, [MAIN, ...sign, '-'], { cwd: dir, env: ENVIRONMENT });
  assert.deepEqual(run.stdout, readFileSync(join(dir, 'sig')));
  const made = vouchsafe(dir, 'verity', 'format', 'data', 'again', '--root-hash-file', '-');
  assert.equal(made.stdout, root);
  assert.match(made.stderr, /Root hash/);
  assert.ok(!readdirSync(dir).includes('-'));
  // Two things cannot go there, and some cannot at all.
  refused(dir, ...sign, '-', '--json');
  refused(dir, 'verity', 'format', 'data', 'other', '--root-hash-file', '-', '--json');
  refused(dir, 'verity', 'format', 'data', '-');
  refused(dir, 'verity', 'format', 'data', 'other', '--fec-device', '-');
  refused(dir, 'verity', 'read', 'data', 'hash', root, '--json');
});

test('- is standard input where that is a file', (t) => {
  const { dir, root } = formatted(t);
  const run = (line: string) => {
    const env = { ...ENVIRONMENT, V: `${process.execPath} ${MAIN}` };
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: dir, encoding: 'utf8', env });
    return { code: status, stdout, stderr };
  };
  assert.match(run('$V verity dump - <hash').stdout, /Root hash|UUID/);
  assert.equal(run(`$V verity verify - hash ${root} <data`).code, 0);
  const pipe = run('cat hash | $V verity dump -');
  assert.equal(pipe.code, 3);
  assert.match(pipe.stderr, /< FILE/);
});

test('read says as a document what it has written', (t) => {
  const { dir, root } = formatted(t);
  const read = vouchsafe(
    dir,
    'verity',
    'read',
    'data',
    'hash',
    root,
    '--offset',
    '5',
    '--length',
    '7',
    '-o',
    'p',
    '--json',
  );
  assert.deepEqual(JSON.parse(read.stdout), { output: 'p', offset: 5, sizeBytes: 7, rootHash: root });
  assert.deepEqual(readFileSync(join(dir, 'p')), readFileSync(join(dir, 'data')).subarray(5, 12));
});
