// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FakeCheckout, fakeCheckout } from './fake-checkout.ts';

const setUp = (checkout: FakeCheckout) => checkout.run('sh', [join(checkout.root, 'tools/setup.sh')], { cwd: '/' });
const called = (calls: readonly string[], command: string) => calls.filter((call) => call.startsWith(`${command} `));
const QUIET = { code: 0, stdout: '', stderr: '' };

test('the first run installs both kinds of packages and says so; the second does nothing', async (t) => {
  const checkout = fakeCheckout(t);
  const first = await setUp(checkout);
  assert.equal(first.code, 0);
  assert.equal(first.stdout, '');
  assert.match(first.stderr, /npm install/);
  assert.match(first.stderr, /apt-get install lack-it/);
  const calls = checkout.calls();
  assert.deepEqual(called(calls, 'npm'), [
    'npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error',
  ]);
  assert.match(called(calls, 'apt-get').join('\n'), /update\n.*install --no-install-recommends lack-it$/);

  assert.deepEqual(await setUp(checkout), QUIET);
  assert.deepEqual(checkout.calls(), []);
});

for (const path of ['package-lock.json', 'packages/one/package.json', 'apps/new/package.json']) {
  test(`a change of ${path} runs npm again, and npm alone`, async (t) => {
    const checkout = fakeCheckout(t);
    await setUp(checkout);
    checkout.calls();
    checkout.write(path, '{ "changed": true }\n');
    await setUp(checkout);
    const calls = checkout.calls();
    assert.equal(called(calls, 'npm').length, 1);
    assert.equal(called(calls, 'dpkg-query').length, 0);
  });
}

test('without root the exact line is printed once for each list, and root catches up', async (t) => {
  const checkout = fakeCheckout(t, 'user');
  const first = await setUp(checkout);
  assert.equal(first.code, 0);
  assert.match(first.stderr, /run: sudo apt-get install -y --no-install-recommends lack-it\n/);
  assert.deepEqual(called(checkout.calls(), 'apt-get'), []);
  assert.deepEqual(await setUp(checkout), QUIET);

  checkout.write('tools/debian-packages.txt', 'have-it  have  # a\nlack-it  lack-it-tool  # b\nlack-too  x  # c\n');
  assert.match((await setUp(checkout)).stderr, /lack-it lack-too\n/);

  checkout.fake('id', 'echo 0');
  assert.match((await setUp(checkout)).stderr, /setting up: apt-get install lack-it lack-too/);
  assert.deepEqual(await setUp(checkout), QUIET);
});

test('nothing is said when each Debian package is there', async (t) => {
  const checkout = fakeCheckout(t, 'user');
  checkout.fake('dpkg-query', 'printf installed');
  assert.doesNotMatch((await setUp(checkout)).stderr, /apt-get/);
});

test('a failing apt-get is a warning, said once', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.fake('apt-get', 'echo "E: no network" >&2; exit 100');
  const first = await setUp(checkout);
  assert.equal(first.code, 0);
  assert.match(first.stderr, /E: no network[\s\S]*apt-get failed[\s\S]*sudo apt-get install .*lack-it/);
  assert.deepEqual(await setUp(checkout), QUIET);
});

test('where there is no apt-get, the wanted commands are named once', async (t) => {
  const checkout = fakeCheckout(t);
  rmSync(join(checkout.bin, 'apt-get'));
  checkout.fake('have');
  assert.match((await setUp(checkout)).stderr, /want these commands: lack-it-tool\n/);
  assert.deepEqual(await setUp(checkout), QUIET);
});

test('a failing npm fails the set-up with a next step, and the next run tries again', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.fake('npm', 'echo "npm error network" >&2; exit 1');
  const failed = await setUp(checkout);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /npm error network[\s\S]*npm install failed[\s\S]*next: /);
  assert.equal((await setUp(checkout)).code, 1);
  assert.equal(existsSync(join(checkout.root, '.cache/setup.lock')), false);
});

test('no npm, or a Node.js too old where npm brings none, is an error that says what to install', async (t) => {
  const without = fakeCheckout(t);
  rmSync(join(without.bin, 'npm'));
  assert.match((await setUp(without)).stderr, /npm is not on PATH[\s\S]*next: install Node.js/);

  const old = fakeCheckout(t);
  old.fake('npm', 'mkdir -p node_modules');
  old.fake('node', 'echo 20.1.0');
  const ended = await setUp(old);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /no Node.js 24.*20\.1\.0/);
  old.fake('node', 'echo 24.0.0');
  assert.equal((await setUp(old)).code, 0);
});

test('set-ups at the same time: one works, the others wait and find nothing to do', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.fake('npm', `sleep 0.5; mkdir -p node_modules/.bin && ln -sf '${process.execPath}' node_modules/.bin/node`);
  const ended = await Promise.all([setUp(checkout), setUp(checkout), setUp(checkout)]);
  assert.deepEqual(
    ended.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(called(checkout.calls(), 'npm').length, 1);
  assert.equal(ended.filter(({ stderr }) => stderr.includes('waiting for another set-up')).length, 2);
});

test('the lock of a process that is gone is taken over', async (t) => {
  const checkout = fakeCheckout(t);
  const lock = join(checkout.root, '.cache/setup.lock');
  mkdirSync(join(checkout.root, '.cache'));
  symlinkSync('4194305', lock); // above the kernel's largest pid_max, 2^22
  assert.equal((await setUp(checkout)).code, 0);
  assert.throws(() => readlinkSync(lock));
});

test('no half-done stamp: an interrupted npm leaves the set-up undone', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.fake('npm', 'kill -TERM $PPID; sleep 0.2');
  await setUp(checkout);
  assert.equal(existsSync(join(checkout.root, 'node_modules/.vouchsafe/npm')), false);
  assert.equal(existsSync(join(checkout.root, '.cache/setup.lock')), false);
});
