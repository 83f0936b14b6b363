// SPDX-License-Identifier: Apache-2.0
// What can be asked of the lab without starting a machine; lab/test boots with the command.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TAMPER_CASE_NAMES } from '@vouchsafe/lab/boot';
import { tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

const lab = (...args: string[]) => vouchsafe(tmpdir(), 'lab', ...args);

test('the cases of tampering are listed, each with what is expected of it', () => {
  const { code, stdout } = lab('boot', '--tamper', 'help');
  assert.equal(code, 0);
  for (const name of TAMPER_CASE_NAMES) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  const listed = JSON.parse(lab('boot', '--tamper', 'help', '--json').stdout) as { name: string }[];
  assert.deepEqual(listed.map(({ name }) => name).sort(), [...TAMPER_CASE_NAMES].sort());
});

test('what does not go together is refused before a machine is started', (t) => {
  const disk = join(tempDir(t), 'disk.raw');
  writeFileSync(disk, '');
  for (const args of [
    [],
    [disk, '--tamper', 'data-blok'],
    [disk, '--secure-boot', 'on'],
    [disk, '--vars', 'a', '--keys', 'b'],
    [disk, '--tis', '--crb'],
  ]) {
    assert.equal(lab('boot', ...args).code, 2, args.join(' '));
  }
});

test('a disk that is not there, and one that is none', (t) => {
  const dir = tempDir(t);
  const disk = join(dir, 'disk.raw');
  assert.equal(lab('boot', disk, '--accelerator', 'tcg').code, 3);
  writeFileSync(disk, 'no disk');
  assert.equal(lab('boot', disk, '--tamper', 'hash-block').code, 3);
});
