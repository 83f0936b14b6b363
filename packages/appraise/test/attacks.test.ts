// SPDX-License-Identifier: Apache-2.0
// Attacks of the threat model that reach the appraisal of a boot, each carried out with a key that really signs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appraiseBoot, type BootReference, type BootVerdict } from '@vouchsafe/appraise';
import { concatBytes, utf8 } from '@vouchsafe/base';
import {
  appraise,
  BOOT,
  codesOf,
  event,
  expectationOf,
  hash,
  logOf,
  type MadeEvent,
  pcrsAfter,
  predictionOf,
  quoteOver,
  REFERENCE,
  selectionOf,
  separator,
} from './support.ts';

/** Refused, and for this reason. */
function assertRefused(verdict: BootVerdict, ...codes: string[]): void {
  assert.equal(verdict.status, 'contraindicated');
  assert.deepEqual(codesOf(verdict), codes);
}

const isSame =
  (pcr: number, text: string) =>
  (made: MadeEvent): boolean =>
    made.pcr === pcr && Buffer.from(made.data).toString('latin1') === text;
const without = (pcr: number, text: string): MadeEvent[] => BOOT.filter((made) => !isSame(pcr, text)(made));
const changed = (find: (made: MadeEvent) => boolean, change: Partial<MadeEvent>): MadeEvent[] =>
  BOOT.map((made) => (find(made) ? { ...made, ...change } : made));

test('the boot that the attacks start from is affirmed, every event expected', () => {
  const verdict = appraise(BOOT);
  assert.deepEqual(verdict, { ...verdict, status: 'affirming', findings: [] });
  assert.equal(verdict.events.length, BOOT.length);
  assert.ok(verdict.events.every(({ judgement }) => judgement === 'expected'));
});

test('A5: a quote over no PCR is refused, and so is asking for none', () => {
  const evidence = { quote: quoteOver([], pcrsAfter(BOOT)), firmwareLog: logOf(BOOT) };
  assertRefused(appraiseBoot(evidence, expectationOf(), REFERENCE), 'quote_selection');
  assert.throws(() => appraiseBoot(evidence, expectationOf([]), REFERENCE), { code: 'argument_invalid' });
});

test('A6: a quote over fewer PCRs than a boot decides is refused, even where no more were asked for', () => {
  // An evil image was booted; the log tells of the good one, and the quote covers a PCR that both leave alone.
  const evil = [...BOOT, event(11, 'EV_IPL', 'evil')];
  const evidence = { quote: quoteOver(selectionOf('sha256', [15]), pcrsAfter(evil)), firmwareLog: logOf(BOOT) };
  assertRefused(appraiseBoot(evidence, expectationOf(), REFERENCE), 'quote_selection');
  const careless = appraiseBoot(evidence, expectationOf(selectionOf('sha256', [15])), REFERENCE);
  assertRefused(careless, 'pcr_unquoted');
  assert.equal(careless.findings.length, 15);
});

for (let pcr = 0; pcr <= 15; pcr++) {
  test(`A6: leaving out PCR ${pcr} alone is refused`, () => {
    const selection = selectionOf(
      'sha256',
      Array.from({ length: 16 }, (_, i) => i).filter((i) => i !== pcr),
    );
    const evidence = { quote: quoteOver(selection, pcrsAfter(BOOT)), firmwareLog: logOf(BOOT) };
    const { status, findings } = appraiseBoot(evidence, expectationOf(selection), REFERENCE);
    assert.equal(status, 'contraindicated');
    assert.deepEqual(
      findings.map(({ code, where }) => [code, where.pcr]),
      [['pcr_unquoted', pcr]],
    );
  });
}

test('A7: a value beside the quoted ones is not used', () => {
  const [pcrs, selection] = [pcrsAfter(BOOT), selectionOf('sha256', [4, 7])];
  const evidence = { quote: quoteOver(selection, pcrs), firmwareLog: logOf(BOOT) };
  assertRefused(appraiseBoot(evidence, expectationOf(selection), REFERENCE), 'pcr_unquoted');
});

test('A8: two values for one PCR are refused, and so is a flood of them', () => {
  const values = pcrsAfter(BOOT);
  const quote = quoteOver(selectionOf('sha256'), values);
  const firmwareLog = logOf(BOOT);
  const twice = { quote: { ...quote, pcrs: [...values, values[7] as (typeof values)[0]] }, firmwareLog };
  assertRefused(appraiseBoot(twice, expectationOf(), REFERENCE), 'pcr_value_repeated');
  const flood = {
    quote: { ...quote, pcrs: Array.from({ length: 513 }, () => values[0] as (typeof values)[0]) },
    firmwareLog,
  };
  assertRefused(appraiseBoot(flood, expectationOf(), REFERENCE), 'evidence_limit');
});

test('A9: a reference in the SHA-1 bank is refused, and the quote of another bank than the reference is', () => {
  const sha1: BootReference = { bank: 'sha1', events: predictionOf(BOOT, 'sha1') };
  const banks = ['sha1', 'sha256'] as const;
  const weak = { quote: quoteOver(selectionOf('sha1'), pcrsAfter(BOOT, 'sha1')), firmwareLog: logOf(BOOT, banks) };
  assertRefused(appraiseBoot(weak, expectationOf(selectionOf('sha1')), sha1), 'reference_bank');
  assertRefused(appraiseBoot(weak, expectationOf(selectionOf('sha1')), REFERENCE), 'pcr_unquoted');
});

test('A10: a bank that the firmware leaves alone is refused', () => {
  // 'Carte Blanche': the log has both banks, the firmware extended one, and nobody touched the quoted one.
  const banks = ['sha256', 'sha384'] as const;
  const zeros = pcrsAfter([], 'sha384');
  const reference: BootReference = { bank: 'sha384', events: predictionOf(BOOT, 'sha384') };
  const expected = expectationOf(selectionOf('sha384'));
  const empty = { quote: quoteOver(selectionOf('sha384'), zeros), firmwareLog: logOf([], banks) };
  assertRefused(appraiseBoot(empty, expected, reference), 'pcr_never_extended', 'separator_missing');
  const told = { quote: quoteOver(selectionOf('sha384'), zeros), firmwareLog: logOf(BOOT, banks) };
  assertRefused(appraiseBoot(told, expected, reference), 'pcr_mismatch');
});

test('A11: a log without digests of the quoted bank cannot be checked, and says so', () => {
  const reference: BootReference = { bank: 'sha384', events: predictionOf(BOOT, 'sha384') };
  const quote = quoteOver(selectionOf('sha384'), pcrsAfter(BOOT, 'sha384'));
  const expected = expectationOf(selectionOf('sha384'));
  const undeclared = appraiseBoot({ quote, firmwareLog: logOf(BOOT) }, expected, reference);
  assertRefused(undeclared, 'bank_missing');
  const unlogged = logOf(BOOT, ['sha256', 'sha384'], ['sha256']);
  assertRefused(appraiseBoot({ quote, firmwareLog: unlogged }, expected, reference), 'bank_incomplete', 'bank_missing');
});

test('A12: variables renamed to EV_UNUSED, with forged copies appended, are refused', () => {
  const forged = event(7, 'EV_EFI_VARIABLE_DRIVER_CONFIG', 'SecureBoot on');
  const off = changed(isSame(7, 'SecureBoot on'), { data: utf8('SecureBoot off') });
  const renamed = off.map((made) =>
    isSame(7, 'SecureBoot off')(made) ? { ...made, type: 'EV_UNUSED' as const } : made,
  );
  assertRefused(appraise([...renamed, forged], off), 'pcr_mismatch');
  assertRefused(appraise([...renamed, forged]), 'event_unexpected', 'event_missing', 'event_after_exit');
});

test('A13: a separator that is gone, renamed, forged or there twice is refused', () => {
  const at = BOOT.findIndex((made) => made.pcr === 2);
  const gone = BOOT.filter((_, i) => i !== at);
  assertRefused(appraise(gone), 'pcr_never_extended', 'separator_missing');
  const renamed = BOOT.map((made, i) => (i === at ? { ...made, type: 'EV_UNUSED' as const } : made));
  assertRefused(appraise(renamed), 'separator_type', 'separator_missing');
  const forged = BOOT.map((made, i) => (i === at ? { ...made, measured: utf8('option ROM') } : made));
  assertRefused(appraise(forged), 'separator_type');
  assertRefused(appraise([...BOOT, separator(2)]), 'separator_repeated');
});

test('A13: a separator hidden behind long data does not make room for others before a second one', () => {
  const hidden: MadeEvent = {
    pcr: 2,
    type: 'EV_EVENT_TAG',
    data: utf8('an option ROM, it says'),
    measured: new Uint8Array(4),
  };
  const at = BOOT.findIndex((made) => made.pcr === 2);
  const log = [...BOOT.slice(0, at), hidden, event(2, 'EV_POST_CODE', 'evil'), ...BOOT.slice(at)];
  const noBaseline: BootReference = { bank: 'sha256', events: predictionOf(BOOT, 'sha256', (pcr) => pcr !== 2) };
  assertRefused(appraise(log, log, noBaseline), 'separator_type');
});

test('A14: a separator that reports an error is refused', () => {
  const at = BOOT.findIndex((made) => made.pcr === 4 && made.type === 'EV_SEPARATOR');
  const failed = BOOT.map((made, i) =>
    i === at ? { ...made, data: utf8('no memory'), measured: Uint8Array.of(1, 0, 0, 0) } : made,
  );
  assertRefused(appraise(failed), 'separator_error');
});

test('A15: data that its digest should cover, and does not, is refused', () => {
  const told = changed(isSame(7, 'SecureBoot on'), { data: utf8('SecureBoot ON'), measured: utf8('SecureBoot on') });
  assertRefused(appraise(told), 'event_data_mismatch');
});

test('A15: the text of an event that its digest does not cover changes nothing', () => {
  const told = changed(isSame(4, 'the UKI'), { data: utf8('another path'), measured: utf8('the UKI') });
  assert.deepEqual(appraise(told), appraise(BOOT));
});

for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14]) {
  test(`A16: PCR ${pcr} extended by the running system, and the log continued, is refused`, () => {
    const late = event(pcr, 'EV_POST_CODE', 'by root');
    assertRefused(appraise([...BOOT, late]), 'event_after_exit');
    // The order between PCRs is not measured, so that the event can be told to be older than it is.
    assertRefused(appraise([...BOOT.slice(0, -1), late, ...BOOT.slice(-1)]), 'event_unexpected');
  });
}

for (const pcr of [0, 1, 2, 3, 6]) {
  test(`A16: the same of PCR ${pcr} where the firmware has no baseline`, () => {
    const noBaseline: BootReference = { bank: 'sha256', events: predictionOf(BOOT, 'sha256', (p) => p !== pcr) };
    assert.deepEqual(
      [appraise(BOOT, BOOT, noBaseline).status, codesOf(appraise(BOOT, BOOT, noBaseline))],
      ['warning', ['firmware_unknown']],
    );
    const late = event(pcr, 'EV_POST_CODE', 'by root');
    assertRefused(appraise([...BOOT, late], [...BOOT, late], noBaseline), 'event_after_exit', 'firmware_unknown');
    const early = [...BOOT.slice(0, -2), late, ...BOOT.slice(-2)];
    assertRefused(appraise(early, early, noBaseline), 'event_unexpected', 'firmware_unknown');
  });
}

test('A16: an event of the running system that is predicted is accepted', () => {
  const late = event(9, 'EV_EVENT_TAG', 'nvpcr');
  const log = [...BOOT, late];
  assert.equal(appraise(log, log, { bank: 'sha256', events: predictionOf(log) }).status, 'affirming');
});

test('A17: EV_NO_ACTION is not extended, with whatever digest; of two localities none counts twice', () => {
  const silent: MadeEvent = {
    ...event(11, 'EV_NO_ACTION', 'quiet'),
    digest: hash('sha256', utf8('content of .linux')),
  };
  const hidden = [...without(11, 'content of .linux'), silent];
  assertRefused(appraise(hidden, BOOT), 'no_action_digest', 'pcr_mismatch');
  assertRefused(appraise(hidden, without(11, 'content of .linux')), 'no_action_digest', 'event_missing');
  assert.equal(appraise([...BOOT, silent], BOOT).status, 'warning');
  const locality = {
    pcr: 0,
    type: 'EV_NO_ACTION' as const,
    data: concatBytes(utf8('StartupLocality\0'), Uint8Array.of(3)),
  };
  assertRefused(appraise([...BOOT, locality], BOOT), 'startup_locality_late');
});

test('A18: a locality that PCR 0 did not start from is refused', () => {
  const locality = {
    pcr: 0,
    type: 'EV_NO_ACTION' as const,
    data: concatBytes(utf8('StartupLocality\0'), Uint8Array.of(3)),
  };
  assertRefused(appraise([locality, ...BOOT], BOOT), 'pcr_mismatch');
});

test('A20: a log cut between events is refused wherever it is cut, and one cut inside is malformed', () => {
  for (let length = 0; length < BOOT.length; length++) {
    const { status, findings } = appraise(BOOT.slice(0, length), BOOT);
    assert.equal(status, 'contraindicated');
    assert.ok(
      findings.some(({ code }) => code === 'pcr_mismatch' || code === 'pcr_unpredicted'),
      `cut to ${length}`,
    );
  }
  const quote = quoteOver(selectionOf('sha256'), pcrsAfter(BOOT));
  const log = logOf(BOOT);
  const borders = new Set(BOOT.map((_, i) => logOf(BOOT.slice(0, i)).length));
  for (let length = 0; length < log.length; length++) {
    if (borders.has(length)) continue;
    const verdict = appraiseBoot({ quote, firmwareLog: log.subarray(0, length) }, expectationOf(), REFERENCE);
    assertRefused(verdict, 'log_malformed');
  }
});

test('A55: a reference without events is refused, and so is one for a PCR that no image decides', () => {
  assertRefused(appraise(BOOT, BOOT, { bank: 'sha256', events: [] }), 'reference_empty');
  for (const pcr of [-1, 10, 16, 17, 23, 24, 0.5]) {
    const events = [...REFERENCE.events, { ...(REFERENCE.events[0] as (typeof REFERENCE.events)[0]), pcr }];
    assertRefused(appraise(BOOT, BOOT, { bank: 'sha256', events }), 'reference_pcr');
  }
});
