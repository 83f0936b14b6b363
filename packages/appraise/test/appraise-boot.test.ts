// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appraiseBoot, type BootReference, learnFirmware } from '@vouchsafe/appraise';
import { utf8 } from '@vouchsafe/base';
import fc from 'fast-check';
import {
  appraise,
  BOOT,
  codesOf,
  event,
  expectationOf,
  logOf,
  type MadeEvent,
  pcrsAfter,
  predictionOf,
  quoteOver,
  REFERENCE,
  selectionOf,
} from './support.ts';

test('firmware without a baseline is not affirmed, and each PCR of it is named', () => {
  const image: BootReference = {
    bank: 'sha256',
    events: predictionOf(BOOT, 'sha256', (pcr) => ![0, 1, 2, 3, 6].includes(pcr)),
  };
  const { status, findings, events } = appraise(BOOT, BOOT, image);
  assert.equal(status, 'warning');
  assert.deepEqual(
    findings.map(({ code, where }) => [code, where.pcr]),
    [0, 1, 2, 3, 6].map((pcr) => ['firmware_unknown', pcr]),
  );
  assert.equal(events.length, BOOT.length);
});

test('a baseline learned from one boot affirms the next, and no other firmware; a refused boot teaches nothing', () => {
  const image = predictionOf(BOOT, 'sha256', (pcr) => ![0, 1, 2, 3, 6].includes(pcr));
  const first = appraise(BOOT, BOOT, { bank: 'sha256', events: image });
  const baseline = learnFirmware(first, logOf(BOOT), 'sha256');
  const reference: BootReference = { bank: 'sha256', events: [...image, ...baseline] };
  assert.equal(appraise(BOOT, BOOT, reference).status, 'affirming');
  const flashed = BOOT.map((made, i) => (i === 0 ? event(0, 'EV_S_CRTM_VERSION', 'firmware 2') : made));
  assert.deepEqual(codesOf(appraise(flashed, flashed, reference)).toSorted(), ['event_missing', 'event_unexpected']);
  const refused = appraise(BOOT, BOOT, { bank: 'sha256', events: [] });
  assert.deepEqual(learnFirmware(refused, logOf(BOOT), 'sha256'), []);
});

test('an event too many, one too few, and two exchanged are each named as just that', () => {
  const at = BOOT.findIndex(({ pcr }) => pcr === 11);
  const more = [...BOOT.slice(0, at), event(11, 'EV_IPL', 'addon'), ...BOOT.slice(at)];
  const tooMany = appraise(more);
  assert.deepEqual(
    tooMany.findings.map(({ code, where }) => [code, where.pcr, where.event]),
    [['event_unexpected', 11, at + 1]],
  );
  const tooFew = appraise(BOOT.filter((_, i) => i !== at));
  assert.deepEqual(
    tooFew.findings.map(({ code, where }) => [code, where.pcr, where.artefact]),
    [['event_missing', 11, 'made']],
  );
  const exchanged = BOOT.slice();
  [exchanged[at], exchanged[at + 1]] = [exchanged[at + 1] as MadeEvent, exchanged[at] as MadeEvent];
  assert.deepEqual(codesOf(appraise(exchanged)).toSorted(), ['event_missing', 'event_unexpected']);
});

test('the same digest twice in a PCR needs to be predicted twice', () => {
  const again = event(11, 'EV_IPL', '.linux');
  const twice = [...BOOT.slice(0, -2), again, ...BOOT.slice(-2)];
  assert.deepEqual(codesOf(appraise(twice)), ['event_unexpected']);
  const reference = { bank: 'sha256', events: predictionOf(twice) } as const;
  assert.equal(appraise(twice, twice, reference).status, 'affirming');
  assert.deepEqual(codesOf(appraise(BOOT, BOOT, reference)), ['event_missing']);
});

test('a prediction without a digest of the bank holds for no event', () => {
  const events = REFERENCE.events.map((predicted) =>
    predicted.pcr === 9 ? { ...predicted, digests: new Map() } : predicted,
  );
  const verdict = appraise(BOOT, BOOT, { bank: 'sha256', events });
  assert.deepEqual([verdict.status, codesOf(verdict)], ['contraindicated', ['event_unexpected', 'event_missing']]);
});

for (const pcr of [8, 12, 13, 14, 15]) {
  test(`PCR ${pcr} must be untouched where nobody says with what it was extended`, () => {
    const extended = [...BOOT, event(pcr, 'EV_IPL', 'an addon')];
    const verdict = appraise(BOOT, extended);
    assert.deepEqual([verdict.status, codesOf(verdict)], ['contraindicated', ['pcr_unpredicted']]);
    assert.deepEqual(verdict.findings[0]?.where, { artefact: 'quote', pcr, bank: 'sha256' });
  });
}

test('an event for PCR 10 in the firmware log, and one for a PCR that can be reset, are not expected', () => {
  const ima = [...BOOT.slice(0, -2), event(10, 'EV_IPL', 'ima'), ...BOOT.slice(-2)];
  assert.deepEqual(codesOf(appraise(ima)), ['event_unexpected']);
  for (const pcr of [16, 23]) {
    const log = [...BOOT.slice(0, -2), event(pcr, 'EV_IPL', 'debug'), ...BOOT.slice(-2)];
    assert.deepEqual(codesOf(appraise(log)), ['event_unexpected']);
  }
});

test('PCR 10 with another value than boot_aggregate alone is not affirmed', () => {
  const verdict = appraise(BOOT, [...BOOT, event(10, 'EV_IPL', 'a file')]);
  assert.deepEqual([verdict.status, codesOf(verdict)], ['warning', ['ima_unappraised']]);
});

test('every quoted bank is replayed, also beside that of the reference', () => {
  const banks = ['sha256', 'sha384'] as const;
  const selection = [...selectionOf('sha256'), ...selectionOf('sha384')];
  const appraiseBoth = (sha384: readonly MadeEvent[]): string[] => {
    const values = [...pcrsAfter(BOOT), ...pcrsAfter(sha384, 'sha384')];
    const evidence = { quote: quoteOver(selection, values), firmwareLog: logOf(BOOT, banks) };
    const verdict = appraiseBoot(evidence, expectationOf(selection), REFERENCE);
    return [verdict.status, ...codesOf(verdict)];
  };
  assert.deepEqual(appraiseBoth(BOOT), ['affirming']);
  assert.deepEqual(appraiseBoth([...BOOT, event(11, 'EV_IPL', 'x')]), ['contraindicated', 'pcr_mismatch']);
  assert.deepEqual(appraiseBoth([...BOOT, event(12, 'EV_IPL', 'x')]), ['contraindicated', 'pcr_unpredicted']);
});

test('the longest log is appraised, and its findings are bounded', () => {
  const flood = Array.from({ length: 16_000 }, (_, i) => event(11, 'EV_IPL', `flood ${i}`));
  const log = [...BOOT.slice(0, -2), ...flood, ...BOOT.slice(-2)];
  const { status, findings, events } = appraise(log);
  assert.equal(status, 'contraindicated');
  assert.equal(findings.length, 257);
  assert.deepEqual(findings.at(-1)?.code, 'findings_left_out');
  assert.equal(events.length, log.length);
  const longer = appraise([...log, ...flood.slice(0, 400)]);
  assert.deepEqual(codesOf(longer), ['log_malformed']);
});

test('a flood of warnings does not push out the error', () => {
  const silent = Array.from(
    { length: 1000 },
    (): MadeEvent => ({ ...event(11, 'EV_NO_ACTION', 'x'), digest: new Uint8Array(32).fill(1) }),
  );
  const { status, findings } = appraise([...silent, ...BOOT], [...BOOT, event(12, 'EV_IPL', 'x')]);
  assert.deepEqual([status, findings[0]?.code, findings.length], ['contraindicated', 'pcr_unpredicted', 257]);
});

const GOOD = { quote: quoteOver(selectionOf('sha256'), pcrsAfter(BOOT)), firmwareLog: logOf(BOOT) };

/** Some octets of a good piece of evidence overwritten, or its end cut off. */
const mutated = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(bytes.length),
    )
    .map(([changes, cut]) => {
      const copy = bytes.slice(0, cut % 3 === 0 ? cut : bytes.length);
      for (const [at, octet] of changes) if (at < copy.length) copy[at] = octet;
      return copy;
    });

test('A53: whatever is sent, a verdict comes back, and it affirms nothing but what was measured', () => {
  const evidence = fc.record({
    attest: fc.oneof(fc.constant(GOOD.quote.attest), mutated(GOOD.quote.attest), fc.uint8Array()),
    signature: fc.oneof(fc.constant(GOOD.quote.signature), mutated(GOOD.quote.signature)),
    firmwareLog: fc.oneof(mutated(GOOD.firmwareLog), fc.uint8Array()),
  });
  fc.assert(
    fc.property(evidence, ({ attest, signature, firmwareLog }) => {
      const quote = { attest, signature, pcrs: GOOD.quote.pcrs };
      const { status, events } = appraiseBoot({ quote, firmwareLog }, expectationOf(), REFERENCE);
      if (status !== 'affirming') return;
      assert.deepEqual(attest, GOOD.quote.attest);
      assert.equal(events.length, BOOT.length);
    }),
    { numRuns: 300 },
  );
});

test('what the finding tells of an untrusted type is marked as the log’s word', () => {
  const { findings } = appraise([...BOOT, { ...event(12, 'EV_IPL', '<script>'), data: utf8('<script>\n') }]);
  assert.match(findings[0]?.hint ?? '', /as the log says/);
  assert.doesNotMatch(JSON.stringify(findings), /script/);
});
