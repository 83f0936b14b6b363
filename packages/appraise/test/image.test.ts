// SPDX-License-Identifier: Apache-2.0
// Which image it is, in which phase, on which firmware: and what is said when it is not (A48 to A52).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AppraisalFinding, learnBaseline, type ReferenceSet, type Verdict } from '@vouchsafe/appraise';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { withPcr } from './made-ima.ts';
import {
  baselineOf,
  codesOf,
  evidenceOf,
  GOOD,
  IMAGE_PCRS,
  imageOf,
  NOW_MS,
  REFERENCES,
  type Scene,
  verdictOn,
} from './scene.ts';
import {
  digestOfMade,
  event,
  hash,
  logOf,
  type MadeEvent,
  pcrsAfter,
  quoteOver,
  selectionOf,
  separator,
} from './support.ts';

function assertRefused(verdict: Verdict, ...codes: string[]): void {
  assert.equal(verdict.status, 'contraindicated');
  for (const code of codes)
    assert.ok(codesOf(verdict).includes(code), `expected ${code} among ${codesOf(verdict).join(', ')}`);
}
const found = ({ findings }: Verdict, code: string): AppraisalFinding =>
  findings.find((one) => one.code === code) as AppraisalFinding;
const text = ({ data }: MadeEvent): string => Buffer.from(data).toString('latin1');
const swap = (said: string, made: MadeEvent): MadeEvent[] => GOOD.map((one) => (text(one) === said ? made : one));
const before = (said: string, made: MadeEvent): MadeEvent[] =>
  GOOD.flatMap((one) => (text(one) === said ? [made, one] : [one]));

const OLD = swap('the initrd', event(9, 'EV_EVENT_TAG', 'an older initrd'));

test('of several images the booted one is found, and of equal ones the newest that may be booted', () => {
  const images = [imageOf({ version: '1.3.2', boot: OLD }), imageOf(), imageOf({ version: '1.4.1' })];
  assert.equal(verdictOn({ references: { ...REFERENCES, images } }).image?.version, '1.4.1');
  assert.equal(verdictOn({ extended: OLD, references: { ...REFERENCES, images } }).image?.version, '1.3.2');
  const newer = imageOf({ version: '1.4.1', life: { state: 'candidate' } });
  assert.equal(verdictOn({ references: { ...REFERENCES, images: [imageOf(), newer] } }).image?.version, '1.4.0');
});

test('a part of another image is named by that image, and by what became of it', () => {
  // Version 1.4.0 whose initrd is 1.3.2's.
  const retired = imageOf({
    version: '1.3.2',
    boot: [...OLD, event(12, 'EV_IPL', 'an old addon'), event(13, 'EV_IPL', 'old tools'), event(13, 'EV_IPL', 'more')],
    life: { state: 'retiring', untilMs: NOW_MS - 1000 },
  });
  const verdict = verdictOn({ extended: OLD, references: { ...REFERENCES, images: [imageOf(), retired] } });
  assertRefused(verdict, 'image_unknown', 'event_unexpected', 'event_missing');
  const { hint, where } = found(verdict, 'event_unexpected');
  assert.match(hint, /of edge 1\.3\.2 .*, which is retired on 2026-11-29/);
  assert.equal(where.pcr, 9);
  assert.ok(verdict.events.some(({ reason }) => reason?.code === 'other_image'));
});

for (const [state, life, code] of [
  ['a candidate', { state: 'candidate' }, 'image_candidate'],
  ['retired', { state: 'retiring', untilMs: NOW_MS }, 'image_retired'],
  ['revoked', { state: 'revoked', sinceMs: NOW_MS - 1 }, 'image_revoked'],
] as const) {
  test(`an image that is ${state} is refused, and leaves no failure behind`, () => {
    const verdict = verdictOn({ references: { ...REFERENCES, images: [imageOf({ life })] } });
    assertRefused(verdict, code, 'policy_denied');
    assert.deepEqual([verdict.facts.image.isKnown, verdict.state?.failure], [true, undefined]);
  });
}

test('A48, A49: a system other than the pinned one is refused; one that is not pinned is unknown', () => {
  const { logs } = evidenceOf({});
  const value = hash('sha256', utf8('a volume key'));
  const evidence = { quote: quoteOver(selectionOf('sha256'), withPcr(pcrsAfter(GOOD), 15, value)), logs };
  assertRefused(verdictOn({ input: { evidence } }), 'system_unknown', 'policy_denied');
  const pinnedSystem = { bank: 'sha256', value: toHex(value) };
  assert.equal(verdictOn({ input: { evidence, pinnedSystem } }).status, 'affirming');
  assertRefused(verdictOn({ input: { pinnedSystem } }), 'system_changed');
  const other = { bank: 'sha256', value: toHex(hash('sha256', utf8('another volume key'))) };
  assertRefused(verdictOn({ input: { evidence, pinnedSystem: other } }), 'system_changed');
});

for (const [what, made] of [
  ['an addon', event(12, 'EV_IPL', 'addon cmdline')],
  ['a credential', event(12, 'EV_IPL', 'motd.cred')],
  ['a system extension', event(13, 'EV_IPL', 'tools.raw')],
] as const) {
  test(`A50: ${what} beside the UKI appears in the verdict`, () => {
    const verdict = verdictOn({ extended: before('the initrd', made) });
    assertRefused(verdict, 'event_unexpected');
    assert.equal(found(verdict, 'event_unexpected').where.pcr, made.pcr);
  });
}

test('A50: a setting of the firmware that brings along a command line appears in PCR 1', () => {
  const extended = GOOD.flatMap((made, i) =>
    i === 2 ? [made, event(1, 'EV_EFI_HANDOFF_TABLES2', 'io.systemd.stub.kernel-cmdline-extra')] : [made],
  );
  const verdict = verdictOn({ extended });
  assertRefused(verdict, 'firmware_changed');
  assert.equal(found(verdict, 'firmware_changed').where.pcr, 1);
});

const PHASES = [
  'enter-initrd',
  'enter-initrd:leave-initrd',
  'enter-initrd:leave-initrd:sysinit',
  'enter-initrd:leave-initrd:sysinit:ready',
];
const PHASED: ReferenceSet = { images: [imageOf({ phases: PHASES })], baselines: [baselineOf()] };

/** Evidence of a boot that went through phases without a log. */
function phased(words: readonly string[]): Scene['input'] {
  const extended = [...GOOD, ...words.map((word) => event(11, 'EV_IPL', word))];
  return { evidence: { quote: quoteOver(selectionOf('sha256'), pcrsAfter(extended)), logs: evidenceOf({}).logs } };
}

test('phases without a log are told from PCR 11, and marked', () => {
  for (let n = 1; n <= 4; n++) {
    const words = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'].slice(0, n);
    const verdict = verdictOn({ references: PHASED, input: { ...phased(words) } });
    assert.deepEqual([verdict.status, codesOf(verdict)], ['affirming', ['phase_unlogged']]);
    assert.deepEqual([verdict.facts.image.phase, verdict.facts.image.isPhaseLogged], [words.join(':'), false]);
  }
});

test('A51: phases that the image does not go through, in its order and from its beginning, are refused', () => {
  for (const words of [
    ['leave-initrd'],
    ['enter-initrd', 'ready'],
    ['enter-initrd', 'evil'],
    ['enter-initrd', 'enter-initrd'],
  ]) {
    assertRefused(verdictOn({ references: PHASED, input: { ...phased(words) } }), 'pcr_mismatch');
  }
  // Another image goes through them.
  const other = imageOf({ name: 'other', boot: OLD, phases: ['enter-initrd', 'enter-initrd:evil'] });
  const references = { ...PHASED, images: [...PHASED.images, other] };
  assertRefused(verdictOn({ references, input: { ...phased(['enter-initrd', 'evil']) } }), 'phase_unknown');
});

/** A record of systemd's userspace log. */
function record(pcr: number, eventType: string, string: string): Uint8Array {
  const digest = toHex(hash('sha256', utf8(string)));
  const json = JSON.stringify({
    pcr,
    digests: [{ hashAlg: 'sha256', digest }],
    content_type: 'systemd',
    content: { eventType, string },
  });
  return concatBytes(Uint8Array.of(0x1e), utf8(json), Uint8Array.of(0x0a));
}

test('phases with a log are expected events; what was logged after the quote is not looked at', () => {
  const words = ['enter-initrd', 'leave-initrd'];
  const logs = {
    ...evidenceOf({}).logs,
    userspace: concatBytes(...words.map((word) => record(11, 'phase', word)), record(11, 'phase', 'sysinit')),
  };
  const { evidence } = phased(words) ?? {};
  assert.ok(evidence);
  const verdict = verdictOn({ references: PHASED, input: { evidence: { ...evidence, logs } } });
  assert.deepEqual([verdict.status, codesOf(verdict)], ['affirming', []]);
  assert.deepEqual([verdict.facts.image.phase, verdict.facts.image.isPhaseLogged], [words.join(':'), true]);
});

test('what userspace extends elsewhere is accepted where it is predicted alone', () => {
  const late = event(9, 'EV_EVENT_TAG', 'nvpcr-init');
  const extended = [...GOOD, late];
  const logs = { ...evidenceOf({}).logs, userspace: record(9, 'nvpcr-init', 'nvpcr-init') };
  const evidence = { quote: quoteOver(selectionOf('sha256'), pcrsAfter(extended)), logs };
  assertRefused(verdictOn({ input: { evidence } }), 'event_after_exit');
  const references = { images: [imageOf({ boot: extended })], baselines: [baselineOf()] };
  assert.equal(verdictOn({ references, input: { evidence } }).status, 'affirming');
});

test('A52: an older image is refused below the floor, although its manifest is signed and active', () => {
  const references = (floor: string) => ({ ...REFERENCES, versionFloors: { edge: floor } });
  assertRefused(verdictOn({ references: references('1.4.1') }), 'image_below_floor', 'policy_denied');
  assertRefused(verdictOn({ references: references('1.10') }), 'image_below_floor');
  for (const floor of ['1.4.0', '1.4', '1.4.0~rc1', '0.9'])
    assert.equal(verdictOn({ references: references(floor) }).status, 'affirming');
});

test('PCRs of which the manifest does not say all are named, and nothing is affirmed', () => {
  const references = {
    images: [imageOf({ covers: IMAGE_PCRS.filter((pcr) => pcr !== 5) })],
    baselines: [baselineOf()],
  };
  const verdict = verdictOn({ references });
  assertRefused(verdict, 'pcr_uncovered', 'policy_denied');
  assert.deepEqual(verdict.facts.image.uncovered, [5]);
});

test('a baseline that was learned from a machine is what another machine of its kind fits', () => {
  const none = { ...REFERENCES, baselines: [] };
  const first = verdictOn({ references: none });
  assertRefused(first, 'firmware_unknown', 'policy_denied');
  assert.equal(first.facts.firmware.version, 'firmware 1');
  const baseline = learnBaseline(first, logOf(GOOD), { name: 'learned' });
  assert.ok(baseline);
  assert.deepEqual(
    baseline.events.map(({ pcr }) => pcr),
    [0, 0, 1, 1, 2, 3, 6],
  );
  const second = verdictOn({ references: { ...none, baselines: [baseline] } });
  assert.deepEqual([second.status, second.facts.firmware.baseline], ['affirming', 'learned']);
  const tampered = verdictOn({ references: none, extended: swap('the initrd', event(9, 'EV_EVENT_TAG', 'evil')) });
  assert.equal(learnBaseline(tampered, logOf(GOOD), { name: 'learned' }), undefined);
});

const CHANGED = swap('BootOrder', event(1, 'EV_EFI_VARIABLE_BOOT', 'BootOrder 2'));

test('a firmware that changed is told event by event; of alternatives any will do, and what is variable may be anything', () => {
  const verdict = verdictOn({ extended: CHANGED });
  assertRefused(verdict, 'firmware_changed');
  assert.deepEqual(
    verdict.findings.filter(({ code }) => code === 'firmware_changed').map(({ where }) => where.pcr),
    [1, 1],
  );
  const good = baselineOf();
  const digest = toHex(digestOfMade(event(1, 'EV_EFI_VARIABLE_BOOT', 'BootOrder 2'), 'sha256'));
  const is = ({ description }: { description: string }): boolean => description === 'EV_EFI_VARIABLE_BOOT';
  const either = good.events.map((one) =>
    is(one) ? { ...one, digests: { sha256: [...(one.digests['sha256'] ?? []), digest] } } : one,
  );
  const any = good.events.map((one) => (is(one) ? { ...one, isVariable: true } : one));
  for (const events of [either, any]) {
    const references = { ...REFERENCES, baselines: [{ ...good, events }] };
    assert.equal(verdictOn({ extended: CHANGED, references }).status, 'affirming');
    assert.equal(verdictOn({ references }).status, 'affirming');
    // One more is one too many.
    const more = CHANGED.flatMap((made) =>
      made.pcr === 1 && made.type !== 'EV_SEPARATOR' ? [made, event(1, 'EV_EFI_VARIABLE_BOOT', 'x')] : [made],
    );
    assertRefused(verdictOn({ extended: more, references }), 'firmware_changed');
  }
});

test('a baseline of another model, or of a firmware with nothing in common, is no baseline', () => {
  const baselines = [{ ...baselineOf(), vendor: 'A', model: 'B' }];
  const identity = { ...verdictOn().facts.identity, platformManufacturer: 'A', platformModel: 'C' };
  assertRefused(verdictOn({ references: { ...REFERENCES, baselines }, input: { identity } }), 'firmware_unknown');
  assert.equal(
    verdictOn({ references: { ...REFERENCES, baselines }, input: { identity: { ...identity, platformModel: 'B' } } })
      .status,
    'affirming',
  );
  const other = [{ name: 'other', firmwareVersion: 'firmware 2', events: baselineOf([separator(0)]).events }];
  assertRefused(verdictOn({ references: { ...REFERENCES, baselines: other } }), 'firmware_unknown');
});
