// SPDX-License-Identifier: Apache-2.0
// A44 and A45: what is said of a dynamic launch, and what PCR 17 says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchBaseline, Verdict } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import type { PcrValue } from '@vouchsafe/tpm';
import { codesOf, evidenceOf, GOOD, REFERENCES, verdictOn } from './scene.ts';
import {
  digestOfMade,
  event,
  expectationOf,
  hash,
  logOf,
  type MadeEvent,
  pcrsAfter,
  quoteOver,
  selectionOf,
} from './support.ts';

const LAUNCH: readonly MadeEvent[] = [
  event(17, 'EV_IPL', 'SINIT'),
  event(18, 'EV_IPL', 'the kernel'),
  event(17, 'EV_IPL', 'command line'),
];
const ALL = Array.from({ length: 23 }, (_, pcr) => pcr);

/** Values of PCR 0 to 22; those of a launch as it leaves them, or ones without one. */
function values(launched: readonly MadeEvent[] | undefined): PcrValue[] {
  const late = ALL.slice(16).map((pcr): PcrValue => {
    const isLaunchPcr = pcr >= 17;
    const start = new Uint8Array(32).fill(isLaunchPcr && launched === undefined ? 0xff : 0);
    const value = (launched ?? [])
      .filter((made) => made.pcr === pcr)
      .reduce<Uint8Array>((old, made) => hash('sha256', old, digestOfMade(made, 'sha256')), start);
    return { bank: 'sha256', pcr, value };
  });
  return [...pcrsAfter(GOOD), ...late];
}

const baseline = (events: readonly MadeEvent[]): LaunchBaseline => ({
  name: 'TXT of the workshop',
  events: events.map((made) => ({
    pcr: made.pcr,
    description: 'x',
    digests: { sha256: [toHex(digestOfMade(made, 'sha256'))] },
  })),
});

function verdictWith(
  launched: readonly MadeEvent[] | undefined,
  log?: readonly MadeEvent[],
  known: readonly MadeEvent[] = LAUNCH,
): Verdict {
  const selection = selectionOf('sha256', ALL);
  const { logs } = evidenceOf({});
  const evidence = {
    quote: quoteOver(selection, values(launched)),
    logs: { ...logs, ...(log === undefined ? {} : { launch: logOf(log) }) },
  };
  return verdictOn({
    references: { ...REFERENCES, launches: [baseline(known)] },
    input: { evidence, expected: expectationOf(selection) },
  });
}

test('a launch of what is known is known, and none is none', () => {
  const launched = verdictWith(LAUNCH, LAUNCH);
  assert.deepEqual(
    [launched.status, launched.facts.launch],
    ['affirming', { state: 'launched', isKnown: true, name: 'TXT of the workshop' }],
  );
  assert.ok(launched.references.some(({ name }) => name === 'TXT of the workshop'));
  const none = verdictWith(undefined);
  assert.deepEqual([none.status, none.facts.launch.state], ['affirming', 'none']);
});

test('A44: a log of a launch against a PCR 17 that knows of none is refused', () => {
  assert.deepEqual(codesOf(verdictWith(undefined, LAUNCH)), ['launch_claimed', 'policy_denied']);
  assert.deepEqual(codesOf(verdictWith([], LAUNCH)), ['launch_claimed', 'policy_denied']);
  assert.deepEqual(codesOf(verdictWith(LAUNCH, LAUNCH.slice(1))), ['pcr_mismatch', 'policy_denied']);
  assert.deepEqual(codesOf(verdictWith(LAUNCH)), ['launch_unlogged', 'policy_denied']);
  assert.deepEqual(codesOf(verdictWith(LAUNCH, [event(4, 'EV_IPL', 'x'), ...LAUNCH])), [
    'event_pcr_static',
    'policy_denied',
  ]);
});

test('A44: a launch log is nothing where PCR 17 is not quoted', () => {
  const verdict = verdictOn({ logs: { launch: logOf(LAUNCH) } });
  assert.deepEqual([codesOf(verdict), verdict.facts.launch.state], [['launch_unquoted'], 'unquoted']);
  assert.notEqual(verdict.status, 'affirming');
});

test('A45: a launch of something that no reference knows is not affirmed', () => {
  const other = LAUNCH.map((made) => (made.pcr === 18 ? event(18, 'EV_IPL', 'an old SINIT') : made));
  assert.deepEqual(codesOf(verdictWith(other, other)), ['launch_unknown', 'policy_denied']);
  assert.deepEqual(codesOf(verdictWith(LAUNCH, LAUNCH, [])), ['launch_unknown', 'policy_denied']);
});

test('a launch log that is malformed is refused', () => {
  const { logs } = evidenceOf({});
  const selection = selectionOf('sha256', ALL);
  const whole = logOf(LAUNCH);
  for (let length = 1; length < whole.length; length += 9) {
    const evidence = {
      quote: quoteOver(selection, values(LAUNCH)),
      logs: { ...logs, launch: whole.subarray(0, length) },
    };
    const verdict = verdictOn({
      references: { ...REFERENCES, launches: [baseline(LAUNCH)] },
      input: { evidence, expected: expectationOf(selection) },
    });
    assert.equal(verdict.status, 'contraindicated');
  }
});
