// SPDX-License-Identifier: Apache-2.0
// A1 to A27 as far as they are appraisal: forged quotes, logs and variables, by the whole engine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferenceSet, Verdict } from '@vouchsafe/appraise';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import {
  baselineOf,
  codesOf,
  evidenceOf,
  GOOD,
  IMAGE_PCRS,
  imageOf,
  REFERENCES,
  type Scene,
  sha256Hex,
  variable,
  verdictOn,
} from './scene.ts';
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
  separator,
} from './support.ts';

/** Some of the codes, whatever else is found. */
function assertRefused(verdict: Verdict, ...codes: string[]): void {
  assert.equal(verdict.status, 'contraindicated');
  assert.equal(verdict.isTrusted, false);
  for (const code of codes)
    assert.ok(codesOf(verdict).includes(code), `expected ${code} among ${codesOf(verdict).join(', ')}`);
}

const text = ({ data }: MadeEvent): string => Buffer.from(data).toString('latin1');
const without = (said: string): MadeEvent[] => GOOD.filter((made) => text(made) !== said);
const at = (said: string): number => GOOD.findIndex((made) => text(made) === said);
const insert = (place: number, ...made: MadeEvent[]): MadeEvent[] => [
  ...GOOD.slice(0, place),
  ...made,
  ...GOOD.slice(place),
];

test('A1: a quote for another nonce is refused, and nothing of it is looked at', () => {
  const verdict = verdictOn({ input: { expected: { ...expectationOf(), nonce: utf8('another challenge of 20') } } });
  assertRefused(verdict, 'quote_nonce');
  assert.deepEqual([verdict.isAuthentic, verdict.events], [false, []]);
  assert.deepEqual(verdict.ear.submods.machine.ear_trustworthiness_vector, { 'instance-identity': 99 });
});

test('A5, A6, A7: PCRs that are not under the quote are not believed, asked for or not', () => {
  for (let left = 0; left <= 15; left++) {
    const selection = selectionOf(
      'sha256',
      Array.from({ length: 16 }, (_, i) => i).filter((i) => i !== left),
    );
    const evidence = { ...evidenceOf({}), quote: quoteOver(selection, pcrsAfter(GOOD)) };
    assertRefused(verdictOn({ input: { evidence } }), 'quote_selection');
    const careless = verdictOn({ input: { evidence, expected: expectationOf(selection) } });
    assertRefused(careless, 'pcr_unquoted');
    assert.equal(careless.findings[0]?.where.pcr, left);
  }
});

test('A8: two values for one PCR, and a flood of values', () => {
  const { quote, logs } = evidenceOf({});
  const [value] = quote.pcrs;
  assert.ok(value);
  assertRefused(
    verdictOn({ input: { evidence: { quote: { ...quote, pcrs: [...quote.pcrs, value] }, logs } } }),
    'pcr_value_repeated',
  );
  const flood = Array.from({ length: 513 }, () => value);
  assertRefused(verdictOn({ input: { evidence: { quote: { ...quote, pcrs: flood }, logs } } }), 'evidence_limit');
});

test('A9: a quote in the SHA-1 bank alone is refused', () => {
  const bytes = logOf(GOOD, ['sha1', 'sha256']);
  const evidence = {
    quote: quoteOver(selectionOf('sha1'), pcrsAfter(GOOD, 'sha1')),
    logs: { firmware: { sha256: '', bytes } },
  };
  assertRefused(verdictOn({ input: { evidence, expected: expectationOf(selectionOf('sha1')) } }), 'reference_bank');
});

test('A10: a bank that the firmware leaves alone, filled in by somebody, is refused', () => {
  const selection = selectionOf('sha384');
  const references: ReferenceSet = { images: [imageOf({ banks: ['sha384'] })], baselines: [baselineOf()] };
  const input = { expected: expectationOf(selection) };
  const of = (extended: readonly MadeEvent[], logged: readonly MadeEvent[]) => {
    const bytes = logOf(logged, ['sha256', 'sha384']);
    return { quote: quoteOver(selection, pcrsAfter(extended, 'sha384')), logs: { firmware: { sha256: '', bytes } } };
  };
  assert.equal(verdictOn({ references, input: { ...input, evidence: of(GOOD, GOOD) } }).status, 'affirming');
  assertRefused(verdictOn({ references, input: { ...input, evidence: of([], []) } }), 'pcr_never_extended');
  assertRefused(verdictOn({ references, input: { ...input, evidence: of([], GOOD) } }), 'pcr_mismatch');
});

test('A11: a log without digests of the quoted bank cannot be checked, and is not passed', () => {
  const selection = selectionOf('sha384');
  const evidence = { quote: quoteOver(selection, pcrsAfter(GOOD, 'sha384')), logs: evidenceOf({}).logs };
  assertRefused(verdictOn({ input: { evidence, expected: expectationOf(selection) } }), 'bank_missing');
});

test('A12: variables given another type, with forged copies behind them, are refused', () => {
  const off = GOOD.map((made) =>
    text(made) === text(variable('SecureBoot', Uint8Array.of(1))) ? variable('SecureBoot', Uint8Array.of(0)) : made,
  );
  const hidden = off.map((made) =>
    made.pcr === 7 && made.type === 'EV_EFI_VARIABLE_DRIVER_CONFIG' ? { ...made, type: 'EV_UNUSED' as const } : made,
  );
  const forged = [...hidden, ...GOOD.filter((made) => made.pcr === 7 && made.type === 'EV_EFI_VARIABLE_DRIVER_CONFIG')];
  assertRefused(verdictOn({ extended: off, logged: forged }), 'pcr_mismatch');
  const verdict = verdictOn({ extended: forged });
  assertRefused(verdict, 'image_unknown', 'event_unexpected');
  assert.equal(verdict.facts.secureBoot.isOn, false);
});

test('A13, A14: separators that are gone, retyped, there twice, or report an error', () => {
  const second = GOOD.findIndex(({ pcr, type }) => pcr === 2 && type === 'EV_SEPARATOR');
  const change = (made: Partial<MadeEvent>): MadeEvent[] =>
    GOOD.map((one, i) => (i === second ? { ...one, ...made } : one));
  assertRefused(verdictOn({ extended: GOOD.filter((_, i) => i !== second) }), 'separator_missing');
  assertRefused(verdictOn({ extended: change({ type: 'EV_UNUSED' }) }), 'separator_type');
  assertRefused(verdictOn({ extended: [...GOOD, separator(2)] }), 'separator_repeated');
  assertRefused(
    verdictOn({ extended: change({ data: utf8('no memory'), measured: Uint8Array.of(1, 0, 0, 0) }) }),
    'separator_error',
  );
});

test('A15: data that its digest does not cover is refused where it should be covered, and believed nowhere', () => {
  const lie = GOOD.map((made) =>
    text(made) === 'Exit Boot Services Invocation'
      ? { ...made, data: utf8('Exit Boot Services Invocatiom'), measured: made.data }
      : made,
  );
  assertRefused(verdictOn({ extended: GOOD, logged: lie }), 'event_data_mismatch');
});

for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14]) {
  test(`A16: PCR ${pcr} extended by the running system, and the log continued, is refused`, () => {
    const late = event(pcr, 'EV_POST_CODE', 'by root');
    assertRefused(verdictOn({ extended: [...GOOD, late] }));
    assertRefused(verdictOn({ extended: [...GOOD.slice(0, -1), late, ...GOOD.slice(-1)] }));
    // The same where there is no baseline that would miss it.
    const references = { ...REFERENCES, baselines: [] };
    const codes = codesOf(verdictOn({ extended: [...GOOD, late], references }));
    assert.ok(codes.includes('event_after_exit') || codes.includes('event_unexpected'), codes.join());
  });
}

test('A17, A18: EV_NO_ACTION is not extended, and a locality that PCR 0 did not start from does not replay', () => {
  const silent: MadeEvent = {
    ...event(11, 'EV_NO_ACTION', 'quiet'),
    digest: hash('sha256', utf8('content of .linux')),
  };
  assertRefused(
    verdictOn({ extended: without('content of .linux'), logged: [...without('content of .linux'), silent] }),
    'event_missing',
  );
  const locality: MadeEvent = {
    pcr: 0,
    type: 'EV_NO_ACTION',
    data: concatBytes(utf8('StartupLocality\0'), Uint8Array.of(3)),
  };
  assertRefused(verdictOn({ extended: GOOD, logged: [locality, ...GOOD] }), 'pcr_mismatch');
  assertRefused(verdictOn({ extended: GOOD, logged: [...GOOD, locality] }), 'startup_locality_late');
});

test('A20: a log that is cut, at an event or inside one, is refused', () => {
  const whole = logOf(GOOD);
  const { quote } = evidenceOf({});
  for (let length = 0; length < whole.length; length += 5) {
    const evidence = { quote, logs: { firmware: { sha256: '', bytes: whole.subarray(0, length) } } };
    assert.equal(verdictOn({ input: { evidence } }).status, 'contraindicated', `cut to ${length}`);
  }
});

test('A21, A22: sizes and PCRs that no log has', () => {
  const { quote } = evidenceOf({});
  const huge = logOf(GOOD).slice();
  huge.fill(0xff, huge.length - 60, huge.length - 50);
  assertRefused(verdictOn({ input: { evidence: { quote, logs: { firmware: { sha256: '', bytes: huge } } } } }));
  assertRefused(verdictOn({ extended: GOOD, logged: insert(3, event(24, 'EV_IPL', 'x')) }), 'event_pcr_range');
  assertRefused(verdictOn({ extended: GOOD, logged: insert(3, event(17, 'EV_IPL', 'x')) }), 'event_pcr_drtm');
});

test('A24: revocations that are older than the log says are refused by their digest', () => {
  const [old, current] = [utf8('older revocations'), utf8('the revocations')];
  const lie = GOOD.map((made) =>
    text(made) === text(variable('dbx', current)) ? { ...made, measured: variable('dbx', old).data } : made,
  );
  assertRefused(verdictOn({ extended: lie }), 'event_data_mismatch');
  const references = { ...REFERENCES, revocations: { dbx: [sha256Hex(utf8('newer revocations'))] } };
  assertRefused(verdictOn({ references }), 'dbx_outdated', 'policy_denied');
  assert.equal(
    verdictOn({ references: { ...REFERENCES, revocations: { dbx: [sha256Hex(current)] } } }).status,
    'affirming',
  );
});

test('A25: a boot loader that is revoked is refused, although the image has it', () => {
  const loader = GOOD[at('the UKI')] as MadeEvent;
  const references = { ...REFERENCES, revocations: { programs: [toHex(digestOfMade(loader, 'sha256'))] } };
  const verdict = verdictOn({ references });
  assertRefused(verdict, 'program_revoked');
  assert.ok(verdict.facts.secureBoot.hasRevokedPrograms);
});

test('A25: SBAT revocations below the floor are refused', () => {
  const level = variable('SbatLevel', utf8('sbat,1,2022052400\ngrub,2\n'), 'EV_EFI_VARIABLE_AUTHORITY');
  const boot = insert(GOOD.findIndex(({ type, pcr }) => type === 'EV_SEPARATOR' && pcr === 7) + 1, level);
  const references = { images: [imageOf({ boot })], baselines: [baselineOf()] };
  assert.equal(verdictOn({ extended: boot, references }).facts.secureBoot.sbatLevel, '2022052400');
  const floor = { ...references, revocations: { sbatLevel: '2024040900' } };
  assertRefused(verdictOn({ extended: boot, references: floor }), 'sbat_outdated', 'policy_denied');
});

for (const [name, change] of [
  ['SecureBoot is 0', [variable('SecureBoot', Uint8Array.of(0))]],
  ['SetupMode is 1', [variable('SecureBoot', Uint8Array.of(1)), variable('SetupMode', Uint8Array.of(1))]],
  ['AuditMode is 1', [variable('SecureBoot', Uint8Array.of(1)), variable('AuditMode', Uint8Array.of(1))]],
] as const) {
  test(`A26: ${name}: off, whatever keys there are, and although the image was predicted so`, () => {
    const boot = GOOD.flatMap((made) =>
      text(made) === text(variable('SecureBoot', Uint8Array.of(1))) ? change : [made],
    );
    const references = { images: [imageOf({ boot })], baselines: [baselineOf()] };
    const verdict = verdictOn({ extended: boot, references });
    assertRefused(verdict, 'secure_boot_off', 'policy_denied');
    assert.deepEqual([verdict.facts.image.isKnown, verdict.facts.secureBoot.isOn], [true, false]);
  });
}

test('A27: keys of the machine’s owner in PCR 14 that the image does not predict are flagged', () => {
  const boot = insert(at('the UKI'), event(14, 'EV_IPL', 'MokList'));
  assertRefused(verdictOn({ extended: boot }), 'event_unexpected');
  const references = {
    images: [imageOf({ covers: IMAGE_PCRS.filter((pcr) => pcr !== 14) })],
    baselines: [baselineOf()],
  };
  assertRefused(verdictOn({ extended: boot, references }), 'pcr_uncovered', 'mok_enrolled', 'policy_denied');
});

test('A56: a log with as many events as one may have, all of them wrong, is refused within bounds', () => {
  const many = Array.from({ length: 16_000 }, (_, i) => event(i % 2 === 0 ? 4 : 1, 'EV_IPL', `event ${i}`));
  const images = Array.from({ length: 8 }, (_, i) => imageOf({ version: `1.${i}` }));
  const verdict = verdictOn({ extended: [...GOOD, ...many], references: { ...REFERENCES, images } });
  assertRefused(verdict, 'image_unknown', 'event_unexpected', 'findings_left_out');
  assert.ok(verdict.findings.length <= 258);
  assert.ok(JSON.stringify(verdict.state).length < 256 * 1024);
});

test('a PCR that no log extends is refused', () => {
  const { logs } = evidenceOf({});
  const values = pcrsAfter([...GOOD, event(8, 'EV_IPL', 'x')]);
  const evidence = { quote: quoteOver(selectionOf('sha256'), values), logs };
  assertRefused(verdictOn({ input: { evidence } } satisfies Scene), 'pcr_unpredicted');
});
