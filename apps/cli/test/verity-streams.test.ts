// SPDX-License-Identifier: Apache-2.0
// internal: ProgressDisplay, as no command runs long enough to show progress in a test.
// What becomes of the answer when standard output or standard error goes away, or a signal comes.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { ENVIRONMENT, MAIN } from './support.ts';
import { damage, formatted, makeData } from './verity-support.ts';

const PROGRESS_DISPLAY = fileURLToPath(new URL('../src/terminal/progress-display.ts', import.meta.url));

/** Runs a shell line, in which $V is the command. */
function shell(dir: string, line: string): { code: number | null; stdout: string; stderr: string } {
  const env = { ...ENVIRONMENT, V: `${process.execPath} ${MAIN}`, NODE: process.execPath };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: dir, encoding: 'utf8', env });
  return { code: status, stdout, stderr };
}

const FULL = existsSync('/dev/full') ? {} : { skip: 'missing tool: /dev/full' };

test('an answer that cannot be written is a failure, and neither yes nor no', FULL, (t) => {
  const { dir, root } = formatted(t);
  for (const options of ['', '--json']) {
    const full = shell(dir, `$V verity verify data hash ${root} ${options} >/dev/full`);
    assert.equal(full.code, 3);
    assert.match(full.stderr, /^vouchsafe: standard output: no space left/);
    assert.doesNotMatch(full.stderr, /defect/);
  }
  assert.equal(shell(dir, `$V verity read data hash ${root} >/dev/full`).code, 3);
  assert.equal(shell(dir, '$V -h >/dev/full').code, 3);
});

test('a remark that cannot be written changes nothing', FULL, (t) => {
  const { dir, root } = formatted(t);
  assert.equal(shell(dir, '$V verity verify nothing hash 2>/dev/full').code, 2);
  assert.equal(shell(dir, `$V verity verify nothing hash ${root} 2>/dev/full`).code, 3);
  damage(join(dir, 'data'), 4096);
  assert.equal(shell(dir, `$V verity read data hash ${root} 2>/dev/full >part`).code, 1);
});

test('a reader that has enough is not an error', (t) => {
  const { dir, root } = formatted(t);
  const read = shell(dir, `{ $V verity read data hash ${root}; echo $? >code; } | head -c 10 >part`);
  assert.equal(read.stderr, '');
  assert.equal(readFileSync(join(dir, 'code'), 'utf8'), '0\n');
  assert.deepEqual(readFileSync(join(dir, 'part')), readFileSync(join(dir, 'data')).subarray(0, 10));
  damage(join(dir, 'data'), 4096);
  shell(dir, `{ $V verity verify data hash ${root} --json; echo $? >code; } | true`);
  assert.equal(readFileSync(join(dir, 'code'), 'utf8'), '1\n');
});

test('progress outlives its reader', (t) => {
  const dir = tempDir(t);
  // Three shares of one piece of work, two seconds apart by this clock; and time for an error to come late.
  const script = `
    import { ProgressDisplay } from ${JSON.stringify(PROGRESS_DISPLAY)};
    let nowMs = 0;
    Date.now = () => (nowMs += 2000);
    const display = new ProgressDisplay();
    for (let done = 0; done <= 10; done++) await display.show({ phase: 'hashing', done, total: 10 });
    display.clear();
    await new Promise((resolve) => setTimeout(resolve, 50));
  `;
  writeFileSync(join(dir, 'script.mjs'), script);
  const command = '"$NODE" script.mjs';
  const heard = shell(dir, `${command} 2>&1 | cat`);
  assert.match(heard.stdout, /^hashing: +10% of 10 B\n/);
  shell(dir, `{ ${command}; echo $? >code; } 2>&1 | true`);
  assert.equal(readFileSync(join(dir, 'code'), 'utf8'), '0\n');
});

/** Begins a run that is far too long to end by itself; it has begun when its partial output is there. */
async function longRun(dir: string, stdout: 'ignore' | 'pipe') {
  makeData(dir, 1);
  truncateSync(join(dir, 'data'), 64 * 2 ** 30);
  const args = ['verity', 'format', 'data', 'hash', '--threads', '1', '--json'];
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: dir,
    env: ENVIRONMENT,
    stdio: ['ignore', stdout, 'ignore'],
  });
  while (!readdirSync(dir).some((name) => name.includes('partial'))) await new Promise((r) => setTimeout(r, 5));
  return child;
}

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`a run that ${signal} ends says so, leaves nothing, and has the status that shells expect`, async (t) => {
    const dir = tempDir(t);
    const child = await longRun(dir, 'pipe');
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.kill(signal);
    assert.deepEqual(await once(child, 'close'), [status, null]);
    const { code, message } = JSON.parse(said).error;
    assert.equal(code, 'interrupted');
    assert.match(message, /nothing was left/);
    assert.deepEqual(readdirSync(dir), ['data']);
  });
}

test('a second signal is not waited for, and leaves nothing either', async (t) => {
  const dir = tempDir(t);
  const child = await longRun(dir, 'ignore');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  // The host may deliver them in either order.
  const [code] = await once(child, 'exit');
  assert.ok(code === 130 || code === 143, `status ${code}`);
  assert.deepEqual(readdirSync(dir), ['data']);
});
