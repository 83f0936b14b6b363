// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AppraiseError, baselineFromLog } from '@vouchsafe/appraise';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { GOOD, REFERENCES, verdictOn } from './scene.ts';
import { logOf } from './support.ts';

const isMalformed = (error: unknown): boolean => error instanceof AppraiseError && error.code === 'baseline_malformed';
const verdictWith = (baselines: ReturnType<typeof baselineFromLog>[]) =>
  verdictOn({ references: { ...REFERENCES, baselines } });

test('a log that is taken at its word is the baseline of its firmware, and of no other', () => {
  const baseline = baselineFromLog({ name: 'vendor' }, logOf(GOOD));
  const verdict = verdictWith([baseline]);
  assert.deepEqual([verdict.status, verdict.facts.firmware.baseline], ['affirming', 'vendor']);
  assert.equal(baseline.firmwareVersion, verdict.facts.firmware.version);
  assert.notEqual(baseline.firmwareVersion, '');
  assert.ok(baseline.events.every(({ pcr }) => [0, 1, 2, 3, 6].includes(pcr)));
  const other = GOOD.map((made) =>
    made.pcr === 0 && made.type !== 'EV_SEPARATOR' ? { ...made, data: Uint8Array.of(...made.data, 1) } : made,
  );
  assert.equal(verdictWith([baselineFromLog({ name: 'vendor' }, logOf(other))]).status, 'contraindicated');
  const named = baselineFromLog({ name: 'vendor', firmwareVersion: 'mine', vendor: 'V', model: 'M' }, logOf(GOOD));
  assert.deepEqual([named.firmwareVersion, named.vendor, named.model], ['mine', 'V', 'M']);
});

test('what is no log, is cut short, says nothing of the firmware or contradicts itself is refused', () => {
  const bytes = logOf(GOOD);
  const whole = baselineFromLog({ name: 'whole' }, bytes);
  for (let length = 0; length < bytes.length; length++) {
    // Cut between two events it is a shorter log: separators are missing, or all that is the firmware's was before.
    try {
      assert.deepEqual(baselineFromLog({ name: 'whole' }, bytes.subarray(0, length)), whole, `${length} octets`);
    } catch (error) {
      assert.ok(isMalformed(error), `${length} octets: ${error}`);
    }
  }
  assert.throws(() => baselineFromLog({ name: 'bad' }, bytes.subarray(0, 200)), isMalformed);
  const withoutFirmware = GOOD.filter(({ pcr }) => ![0, 1, 2, 3, 6].includes(pcr));
  assert.throws(() => baselineFromLog({ name: 'bad' }, logOf(withoutFirmware)), isMalformed);
  const twice = [...GOOD, ...GOOD.filter(({ pcr, type }) => pcr === 0 && type === 'EV_SEPARATOR')];
  assert.throws(() => baselineFromLog({ name: 'bad' }, logOf(twice)), isMalformed);
});

test('logs of real machines are baselines, or refused with a code', needsVectors('boot', 'evlog'), () => {
  const names = readdirSync(vectorPath('boot', 'evlog')).filter((name) => name.endsWith('.bin'));
  const made = names.flatMap((name) => {
    try {
      return [baselineFromLog({ name }, new Uint8Array(readFileSync(vectorPath('boot', 'evlog', name))))];
    } catch (error) {
      assert.ok(isMalformed(error), `${name}: ${error}`);
      return [];
    }
  });
  assert.ok(made.length > 0, `${names.length} logs`);
  for (const { events } of made) assert.ok(events.length > 5);
});
