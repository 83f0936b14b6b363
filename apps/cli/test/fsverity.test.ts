// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { ENVIRONMENT, MAIN, vouchsafe } from './support.ts';

/** A folder with a file of some hundred blocks, and a key with its certificate. */
function scene(t: Parameters<typeof tempDir>[0]): string {
  const dir = tempDir(t);
  writeFileSync(
    join(dir, 'app'),
    Uint8Array.from({ length: 600_001 }, (_, i) => i % 251),
  );
  const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', 'key', '-out', 'crt', '-subj', '/CN=a'];
  execFileSync('openssl', ['req', '-x509', ...key], { cwd: dir, stdio: 'ignore' });
  return dir;
}

const KEY = ['--key', 'key', '--certificate', 'crt'];
const contents = (dir: string) => readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'base64')]);

test('digest and sign print and write what fsverity does', needsTool('fsverity', 'openssl'), (t) => {
  const dir = scene(t);
  const tool = (...args: string[]) => execFileSync('fsverity', args, { cwd: dir, encoding: 'utf8' });
  for (const options of [
    [],
    ['--compact'],
    ['--for-builtin-sig'],
    ['--for-builtin-sig', '--compact'],
    ['--for-builtin-sig', '--hash-alg=sha512'],
  ]) {
    const ours = vouchsafe(dir, 'fsverity', 'digest', 'app', ...options);
    assert.equal(ours.stdout, tool('digest', 'app', ...options), options.join(' '));
  }
  const out = (of: string) => [`--out-merkle-tree=${of}.tree`, `--out-descriptor=${of}.desc`];
  const ours = vouchsafe(dir, 'fsverity', 'sign', 'app', 'ours.sig', '--key', 'key', '--cert', 'crt', ...out('ours'));
  assert.equal(ours.code, 0, ours.stderr);
  tool('sign', 'app', 'theirs.sig', '--key=key', '--cert=crt', ...out('theirs'));
  for (const end of ['sig', 'tree', 'desc']) {
    assert.deepEqual(readFileSync(join(dir, `ours.${end}`)), readFileSync(join(dir, `theirs.${end}`)), end);
  }
});

test('no output takes the place of an input or of another output', needsTool('openssl'), (t) => {
  const dir = scene(t);
  const before = contents(dir);
  for (const args of [
    ['digest', 'app', '--out-merkle-tree', 'app', '--force'],
    ['digest', 'app', '--out-descriptor', './app', '--force'],
    ['digest', 'app', '--out-merkle-tree', 'x', '--out-descriptor', 'x'],
    ['digest', 'app', '--out-merkle-tree', '-'],
    ['sign', 'app', 'app', ...KEY, '--force'],
    ['sign', 'app', 'key', ...KEY, '--force'],
    ['sign', 'app', 'crt', ...KEY, '--force'],
    ['sign', 'app', 'sig', ...KEY, '--out-descriptor', 'sig'],
    ['sign', 'app', '-', ...KEY, '--json'],
  ]) {
    const { code, stderr } = vouchsafe(dir, 'fsverity', ...args);
    assert.equal(code, 2, `${args.join(' ')}\n${stderr}`);
    assert.deepEqual(contents(dir), before, args.join(' '));
  }
});

test('a signature may go to standard output, and a file come from standard input', needsTool('openssl'), (t) => {
  const dir = scene(t);
  assert.equal(vouchsafe(dir, 'fsverity', 'sign', 'app', 'sig', ...KEY).code, 0);
  const command = [MAIN, 'fsverity', 'sign', '-', '-', ...KEY];
  const stdin = openSync(join(dir, 'app'), 'r');
  const { status, stdout } = spawnSync(process.execPath, command, {
    cwd: dir,
    env: ENVIRONMENT,
    stdio: [stdin, 'pipe', 'ignore'],
  });
  closeSync(stdin);
  assert.equal(status, 0);
  assert.deepEqual(stdout, readFileSync(join(dir, 'sig')));
});

test('what is wrong with a signature names its file', needsTool('openssl'), (t) => {
  const dir = scene(t);
  const verify = (signature: string) => vouchsafe(dir, 'fsverity', 'verify', 'app', signature, '--certificate', 'crt');
  const malformed = verify('key');
  assert.equal(malformed.code, 3);
  assert.match(malformed.stderr, /^vouchsafe: key: /);
  assert.equal(vouchsafe(dir, 'fsverity', 'sign', 'crt', 'sig', ...KEY).code, 0);
  const ofAnother = verify('sig');
  assert.equal(ofAnother.code, 1);
  assert.match(ofAnother.stdout, /sig: /);
});
