// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeCheckout } from './fake-checkout.ts';

const MAIN =
  'const said: unknown = [process.cwd(), process.execPath, ...process.argv.slice(2)];\nconsole.log(JSON.stringify(said));\n';

test('the first call sets up, the next ones start at once', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.write('apps/cli/src/main.ts', MAIN);
  const launcher = join(checkout.root, 'vouchsafe');
  const first = await checkout.run(launcher, ['x']);
  assert.match(first.stderr, /npm install/);
  assert.equal(JSON.parse(first.stdout)[2], 'x');
  checkout.calls();
  const second = await checkout.run(launcher, ['y']);
  assert.deepEqual([second.code, second.stderr, checkout.calls()], [0, '', []]);
});

test('the command keeps its folder and its arguments, through links with spaces in their names', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.write('apps/cli/src/main.ts', MAIN);
  const elsewhere = join(checkout.root, '..', 'some where');
  mkdirSync(elsewhere);
  symlinkSync('../a checkout/vouchsafe', join(elsewhere, 'relative'));
  symlinkSync(join(elsewhere, 'relative'), join(checkout.bin, 'vouchsafe'));
  const args = ['a b', '', '*', "it's"];
  for (const [file, ...before] of [
    ['vouchsafe'],
    [join(elsewhere, 'relative')],
    ['sh', 'relative'],
    ['./relative'],
  ] as const) {
    const { stdout, stderr } = await checkout.run(file, [...before, ...args], { cwd: elsewhere });
    assert.deepEqual(JSON.parse(stdout), [elsewhere, process.execPath, ...args], stderr);
  }
});

test('a changed manifest sends it to the set-up', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.write('apps/cli/src/main.ts', MAIN);
  const launcher = join(checkout.root, 'vouchsafe');
  await checkout.run(launcher);
  checkout.calls();
  checkout.write('packages/one/package.json', '{ "dependencies": {} }\n');
  const soon = new Date(Date.now() + 5000);
  utimesSync(join(checkout.root, 'packages/one/package.json'), soon, soon);
  await checkout.run(launcher);
  assert.deepEqual(
    checkout.calls().filter((call) => call.startsWith('npm')),
    ['npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error'],
  );
});

test('a fresh checkout of the same files asks the set-up once', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.write('apps/cli/src/main.ts', MAIN);
  const launcher = join(checkout.root, 'vouchsafe');
  await checkout.run(launcher);
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const stamp of ['npm', 'debian'])
    utimesSync(join(checkout.root, 'node_modules/.vouchsafe', stamp), hourAgo, hourAgo);
  const second = await checkout.run(launcher);
  assert.deepEqual([second.code, second.stderr], [0, '']);
  checkout.write('tools/setup.sh', 'exit 9\n');
  assert.equal((await checkout.run(launcher)).code, 0);
});

test('the exit code and standard output are the command’s own; a failed set-up ends with 3', async (t) => {
  const checkout = fakeCheckout(t);
  checkout.write('apps/cli/src/main.ts', 'process.exitCode = 1;\n');
  assert.equal((await checkout.run(join(checkout.root, 'vouchsafe'))).code, 1);
  rmSync(join(checkout.root, 'node_modules'), { recursive: true });
  checkout.fake('npm', 'exit 1');
  const { code, stdout } = await checkout.run(join(checkout.root, 'vouchsafe'));
  assert.deepEqual([code, stdout], [3, '']);
});
