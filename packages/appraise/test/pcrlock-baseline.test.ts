// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { baselineFromPcrlock } from '@vouchsafe/appraise';
import { utf8 } from '@vouchsafe/base';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { baselineOf, GOOD, REFERENCES, verdictOn } from './scene.ts';

const component = (records: readonly object[]): Uint8Array => utf8(JSON.stringify({ records }));
const recordsOf = (pcrs: readonly number[]) =>
  baselineOf(GOOD, ['sha256'])
    .events.filter(({ pcr }) => pcrs.includes(pcr))
    .map(({ pcr, digests }) => ({ pcr, digests: [{ hashAlg: 'sha256', digest: digests['sha256']?.[0] }] }));
const CODE = { name: '250-firmware-code.pcrlock', variants: [component(recordsOf([0, 2, 3, 6]))] };
const CONFIG = { name: '250-firmware-config.pcrlock', variants: [component(recordsOf([1]))] };

test('components of a machine are the baseline of its kind', () => {
  const baseline = baselineFromPcrlock({ name: 'imported', firmwareVersion: 'firmware 1' }, [CODE, CONFIG]);
  const verdict = verdictOn({ references: { ...REFERENCES, baselines: [baseline] } });
  assert.deepEqual([verdict.status, verdict.facts.firmware.baseline], ['affirming', 'imported']);
  const other = recordsOf([1]).map(({ pcr }) => ({ pcr, digests: [{ hashAlg: 'sha256', digest: 'ab'.repeat(32) }] }));
  const either = { ...CONFIG, variants: [component(other), ...CONFIG.variants] };
  const two = baselineFromPcrlock({ name: 'imported' }, [CODE, either]);
  assert.equal(verdictOn({ references: { ...REFERENCES, baselines: [two] } }).status, 'affirming');
  const wrong = baselineFromPcrlock({ name: 'imported', firmwareVersion: 'firmware 1' }, [
    CODE,
    { ...CONFIG, variants: [component(other)] },
  ]);
  assert.equal(verdictOn({ references: { ...REFERENCES, baselines: [wrong] } }).status, 'contraindicated');
});

test('what is no component, and variants that are not alike, are refused', () => {
  const bad = [
    '',
    '{}',
    '[]',
    '{"records":[{"pcr":24,"digests":[]}]}',
    '{"records":[{"pcr":0,"digests":[{"hashAlg":"md5","digest":"00"}]}]}',
  ].map(utf8);
  for (const variants of [
    ...bad.map((one) => [one]),
    [component(recordsOf([0])), component(recordsOf([1, 2]))],
    [Uint8Array.of(0xff)],
    [],
  ]) {
    assert.throws(() => baselineFromPcrlock({ name: 'bad' }, [{ name: 'x', variants }]), {
      code: 'baseline_malformed',
    });
  }
  assert.throws(() => baselineFromPcrlock({ name: 'none' }, [{ name: 'x', variants: [component([])] }]), {
    code: 'baseline_malformed',
  });
});

test(
  'systemd’s own separators: either of both values, in the firmware’s PCRs',
  needsVectors('image', 'pcrlock'),
  () => {
    const read = (name: string) =>
      Uint8Array.from(readFileSync(vectorPath('image', 'pcrlock', 'systemd-shipped', '500-separator.pcrlock.d', name)));
    const variants = ['300-0x00000000.pcrlock', '600-0xffffffff.pcrlock'].map(read);
    const { events } = baselineFromPcrlock({ name: 'separators' }, [{ name: '500-separator', variants }]);
    assert.deepEqual(
      events.map(({ pcr, digests }) => [pcr, digests['sha256']?.length]),
      [0, 1, 2, 3, 6].map((pcr) => [pcr, 2]),
    );
  },
);
