// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AgentState, folderStore, StateFolder } from '@vouchsafe/agent';
import { tempDir } from '@vouchsafe/testing';
import { madeState } from './support/made-state.ts';

const WRITER = fileURLToPath(new URL('support/write-states.ts', import.meta.url));
/** The kills come at other moments each time; each is at one of some thousand writes. */
const KILLS = 6;

test('a process that is killed while it writes leaves a whole state, and what it left goes', async (t) => {
  const dir = join(tempDir(t), 'state');
  folderStore(StateFolder.open(dir)).write(madeState(0));
  let last = 0;
  for (let i = 0; i < KILLS; i++) {
    const writer = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(writer.stdout, 'data');
    await sleep(Math.random() * 60);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const state = folderStore(StateFolder.open(dir)).read() as AgentState;
    const count = Number(state.bootId);
    assert.deepEqual(state, madeState(count));
    assert.ok(count >= last, `${count} after ${last}`);
    last = count;
    // The files for other programs are those of this state, and nothing half-written is left.
    assert.deepEqual(readdirSync(dir).sort(), [
      'attestation.crt',
      'ca.crt',
      'client.crt',
      'client.key',
      'openssl.cnf',
      'state.json',
    ]);
  }
  assert.ok(last > 0);
});

test('the folder and its files are the owner’s alone, whatever they were', (t) => {
  const dir = join(tempDir(t), 'a', 'state');
  const before = process.umask(0);
  t.after(() => process.umask(before));
  StateFolder.open(dir).write(madeState(1));
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, 'state.json')).mode & 0o777, 0o600);
  chmodSync(dir, 0o755);
  StateFolder.open(dir);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test('a state that is none, or somebody else’s file in its place, is told and not overwritten', (t) => {
  const dir = join(tempDir(t), 'state');
  const folder = StateFolder.open(dir);
  assert.equal(folder.read(), undefined);
  const whole = JSON.stringify(madeState(1));
  const { keys: _, ...without } = madeState(1);
  const texts = [
    '',
    '{',
    whole.slice(0, -1),
    '{"version":2}',
    JSON.stringify(without),
    JSON.stringify({ ...madeState(1), more: 1 }),
  ];
  for (const text of texts) {
    folder.writeFile('state.json', text);
    assert.throws(() => folder.read(), { code: 'state_malformed' }, text.slice(0, 40));
  }
  const other = join(tempDir(t), 'other');
  mkdirSync(other);
  symlinkSync('/dev/zero', join(other, 'state.json'));
  assert.throws(() => StateFolder.open(other).read(), { code: 'state_malformed' });
  writeFileSync(join(dir, 'file'), '');
  assert.throws(() => StateFolder.open(join(dir, 'file')), { code: /exists|not_a_folder|io|not_a_file/ });
});

test('a partial file of a process that still runs is left alone', (t) => {
  const dir = join(tempDir(t), 'state');
  StateFolder.open(dir);
  const [ours, dead] = [`.state.json.${process.pid}.0.partial`, '.state.json.4194305.0.partial'];
  for (const name of [ours, dead]) writeFileSync(join(dir, name), '');
  StateFolder.open(dir);
  assert.deepEqual(
    [ours, dead].map((name) => existsSync(join(dir, name))),
    [true, false],
  );
});
