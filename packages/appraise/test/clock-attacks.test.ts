// SPDX-License-Identifier: Apache-2.0
// A35 to A37 and A54: what the clock of the TPM tells of the time between two attestations, and what a failure leaves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BootState, clearFailure, type Verdict } from '@vouchsafe/appraise';
import { codesOf, evidenceOf, GOOD, imageOf, REFERENCES, type Scene, verdictOn } from './scene.ts';
import { event, logOf, pcrsAfter, quoteOver, selectionOf } from './support.ts';

const AT = { clock: 100n, resetCount: 5, restartCount: 2 };
const first: Verdict = verdictOn({ quote: AT });
const EVIL = [...GOOD.slice(0, -2), event(11, 'EV_IPL', 'evil'), ...GOOD.slice(-2)];

const later = (quote: Scene['quote'], previous: BootState | undefined = first.state, scene: Scene = {}): Verdict =>
  verdictOn({ quote: { ...AT, clock: 200n, ...quote }, previous, ...scene });

test('a state is plain data: JSON carries it', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(first.state)), first.state);
});

test('the same boot is affirmed again without its log, and costs no reading of it', () => {
  const { quote, logs } = evidenceOf({ quote: { ...AT, clock: 200n } });
  const evidence = { quote, logs: { firmware: { sha256: logs.firmware.sha256 } } };
  const verdict = later({}, first.state, { input: { evidence } });
  assert.deepEqual([verdict.status, verdict.needsFirmwareLog, verdict.facts.clock.since], ['affirming', false, 'same']);
  assert.deepEqual({ ...verdict.facts, clock: first.facts.clock }, first.facts);
  assert.deepEqual(verdict.references, first.references);
});

test('where the boot must be appraised whole, the log is asked for', () => {
  const { quote, logs } = evidenceOf({ quote: { ...AT, clock: 200n, restartCount: 3 } });
  const evidence = { quote, logs: { firmware: { sha256: logs.firmware.sha256 } } };
  const verdict = later({}, first.state, { input: { evidence } });
  assert.deepEqual(
    [verdict.status, verdict.needsFirmwareLog, verdict.state?.failure],
    ['contraindicated', true, undefined],
  );
});

test('with other references the boot is appraised anew', () => {
  const references = { ...REFERENCES, images: [imageOf({ life: { state: 'revoked', sinceMs: 0 } })] };
  assert.deepEqual(codesOf(later({}, first.state, { references })), ['image_revoked', 'policy_denied']);
});

test('an image that retires is retired at that moment, not at the next boot', () => {
  const untilMs = Date.UTC(2026, 11, 24);
  const references = { ...REFERENCES, images: [imageOf({ life: { state: 'retiring', untilMs } })] };
  const good = verdictOn({ quote: AT, references });
  assert.deepEqual([good.status, good.facts.image.life], ['affirming', 'retiring']);
  const input = { nowMs: untilMs };
  const late = later({}, good.state, { references, input });
  assert.deepEqual(codesOf(late), ['image_retired', 'policy_denied']);
  assert.match(late.findings[0]?.hint ?? '', /retired on 2026-12-24/);
});

for (const [name, quote, code] of [
  ['fewer resets', { resetCount: 4 }, 'clock_reset_decreased'],
  ['fewer restarts', { restartCount: 1 }, 'clock_restart_decreased'],
  ['a clock that stands still', { clock: 100n }, 'clock_not_increased'],
  ['a clock that went back', { clock: 99n }, 'clock_not_increased'],
] as const) {
  test(`A35: ${name} is refused, and the boot stays so`, () => {
    const verdict = later(quote);
    assert.equal(verdict.status, 'contraindicated');
    assert.ok(codesOf(verdict).includes(code));
    assert.deepEqual(verdict.state?.failure?.codes, [code]);
  });
}

test('A35: counters that went back and come forth again are no new boot', () => {
  const rewound = later({ resetCount: 4 });
  const again = later({ resetCount: 5, restartCount: 2, clock: 300n }, rewound.state);
  assert.ok(codesOf(again).includes('failed_before'));
  assert.equal(again.facts.clock.since, 'same');
  assert.equal(later({ resetCount: 6 }, again.state).status, 'affirming');
});

test('what an operator pins, or other firmware in the TPM, is seen in a boot that goes on', () => {
  const pinnedSystem = { bank: 'sha256', value: 'ab'.repeat(32) };
  assert.ok(codesOf(later({}, first.state, { input: { pinnedSystem } })).includes('system_changed'));
  const other = later({}, { ...(first.state as BootState), tpmFirmware: '2' });
  assert.deepEqual([other.status, codesOf(other)], ['warning', ['tpm_firmware_changed']]);
  assert.equal(later({ clock: 300n }, other.state).status, 'affirming');
});

test('A36: after a start that was not orderly the clock may repeat: appraised whole, and affirmed', () => {
  const verdict = later({ clock: 50n, safe: false });
  assert.deepEqual(
    [verdict.status, verdict.facts.clock.since, verdict.events.length > 0],
    ['affirming', 'unsafe', true],
  );
});

test('A36: after a resume the boot is appraised whole: PCRs that were lost in the sleep, and filled anew, are refused', () => {
  const slept = later({ restartCount: 3 });
  assert.deepEqual([slept.status, slept.facts.clock.since, slept.events.length > 0], ['affirming', 'resumed', true]);
  const values = pcrsAfter(EVIL);
  const { logs } = evidenceOf({});
  const evidence = { quote: quoteOver(selectionOf('sha256'), values, { ...AT, clock: 200n, restartCount: 3 }), logs };
  assert.ok(codesOf(later({}, first.state, { input: { evidence } })).includes('pcr_mismatch'));
});

test('A37: a reset is a new boot, with a log of the same age and all: nothing of before is taken', () => {
  const verdict = later({ resetCount: 6, restartCount: 0, clock: 300n });
  assert.deepEqual(
    [verdict.status, verdict.facts.clock.since, verdict.events.length > 0],
    ['affirming', 'reset', true],
  );
  const evil = later({ resetCount: 6 }, first.state, { extended: EVIL });
  assert.equal(evil.status, 'contraindicated');
});

test('A37: another boot log without a reset is refused', () => {
  const logs = {
    firmware: {
      sha256: '00'.repeat(32),
      bytes: logOf([...GOOD, { pcr: 0, type: 'EV_NO_ACTION', data: new Uint8Array(8) }]),
    },
  };
  assert.deepEqual(codesOf(later({}, first.state, { logs })), ['log_differs', 'policy_denied']);
});

test('A54: a failure stays one through good quotes, until the machine starts anew or an operator clears it', () => {
  const failed = verdictOn({ quote: AT, extended: EVIL });
  assert.equal(failed.status, 'contraindicated');
  const again = later({}, failed.state, { extended: EVIL });
  const good = later({}, failed.state);
  for (const verdict of [again, good]) {
    assert.ok(codesOf(verdict).includes('failed_before'));
    assert.deepEqual([verdict.isTrusted, verdict.facts.history.hasFailed], [false, true]);
  }
  const still = later({ clock: 300n }, good.state);
  assert.ok(codesOf(still).includes('failed_before'));
  assert.equal(later({ resetCount: 6 }, good.state).status, 'affirming');
  const { state } = failed;
  assert.ok(state);
  assert.equal(
    later({}, { ...clearFailure(state), firmwareSha256: first.state?.firmwareSha256 ?? '' }).status,
    'affirming',
  );
});

test('A54: what anybody could have sent leaves no mark on the machine', () => {
  const { quote, logs } = evidenceOf({ quote: { ...AT, clock: 200n } });
  const forged = { quote: { ...quote, attest: quote.attest.slice(1) }, logs };
  const verdict = later({}, first.state, { input: { evidence: forged } });
  assert.deepEqual([verdict.status, verdict.isAuthentic], ['contraindicated', false]);
  assert.deepEqual(verdict.state, first.state);
});
