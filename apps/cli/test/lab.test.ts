// SPDX-License-Identifier: Apache-2.0
// What can be asked of the lab without starting a machine; lab/test boots with the command.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TAMPER_CASE_NAMES } from '@vouchsafe/lab/boot';
import { tempDir } from '@vouchsafe/testing';
import { isGood } from '../src/lab/boot.ts';
import { bootTime, bootTimeText } from '../src/lab/boot-time.ts';
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

test('a boot is held to the budget of its manifest', () => {
  const budget = { budgets: { bootMs: 20_000 } };
  const within = bootTime({ upAfterMs: 20_000 }, 'kvm', budget);
  assert.ok(within.isWithin);
  assert.match(bootTimeText(within) ?? '', /20 s after power-on \(under KVM\); the manifest allows 20 s$/);
  const over = bootTime({ upAfterMs: 20_001 }, 'tcg', budget);
  assert.ok(!over.isWithin);
  assert.match(bootTimeText(over) ?? '', /20\.1 s after power-on \(emulated\): OVER THE BUDGET, .* allows 20 s; .*KVM/);
  const unseen = bootTime({}, 'tcg', budget);
  assert.ok(!unseen.isWithin, 'what was not seen is not within a budget');
  assert.match(bootTimeText(unseen) ?? '', /NOT KEPT/);
  for (const manifest of [undefined, { budgets: {} }]) {
    const time = bootTime({ upAfterMs: 1 }, 'tcg', manifest);
    assert.deepEqual(time, { upAfterMs: 1, accelerator: 'tcg', isWithin: true });
  }
  assert.equal(bootTimeText(bootTime({}, 'tcg', undefined)), undefined);
});

test('a boot that is as it should be but for its time is not good', () => {
  const booted = { outcome: 'reported', serial: '', results: new Map(), refusals: [], upAfterMs: 2 } as const;
  const answer = { booted, secureBoot: 'on', manifests: [], cases: [], expected: [] } as const;
  for (const [bootMs, isInTime] of [
    [2, true],
    [1, false],
  ] as const) {
    const time = bootTime(booted, 'tcg', { budgets: { bootMs } });
    assert.equal(isGood({ ...answer, time }), isInTime);
  }
});
