// SPDX-License-Identifier: Apache-2.0
// Attacks A10 to A22 of the threat model, carried out on logs made here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import {
  checkReplay,
  checkSeparators,
  decodeTcgLog,
  initialPcr,
  type LogFinding,
  replayedPcr,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import { type PcrValue, TPM_HASH, type TpmHash, tpmDigest, tpmHashSize } from '@vouchsafe/tpm';
import fc from 'fast-check';
import { agileLog, codeOf, locality, type MadeEvent, quoted, SEPARATORS, separator, specIdEvent } from './support.ts';

const action = (pcr: number, text: string): MadeEvent => ({ pcr, type: 'EV_EFI_ACTION', data: utf8(text) });
const BOOT: readonly MadeEvent[] = [action(0, 'firmware'), ...SEPARATORS, action(4, 'loader'), action(5, 'gpt')];

function replayOf(
  events: readonly MadeEvent[],
  banks: readonly TpmHash[] = ['sha256'],
): ReturnType<typeof replayTcgLog> {
  return replayTcgLog(decodeTcgLog(agileLog(events, banks)));
}

const codes = (findings: readonly LogFinding[]): string[] => findings.map(({ code }) => code);

/** What a TPM has after those events, computed without the code under test. */
function tpmOf(events: readonly MadeEvent[], bank: TpmHash = 'sha256', start = 0): PcrValue[] {
  const pcrs = new Map<number, Uint8Array>();
  for (let pcr = 0; pcr < 8; pcr++) pcrs.set(pcr, initialPcr(bank, pcr, start));
  for (const { pcr, type, data, measured } of events) {
    const value = pcrs.get(pcr) ?? initialPcr(bank, pcr);
    if (type !== 'EV_NO_ACTION') pcrs.set(pcr, tpmDigest(bank, concatBytes(value, tpmDigest(bank, measured ?? data))));
  }
  return [...pcrs].map(([pcr, value]) => ({ bank, pcr, value }));
}

test('an honest log replays to the TPM, in each bank', () => {
  const banks = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
  const replay = replayOf(BOOT, banks);
  for (const bank of banks) assert.deepEqual(checkReplay(replay, quoted(tpmOf(BOOT, bank))), []);
  assert.deepEqual(replay.findings, []);
});

test('any events replay to what a TPM computes', () => {
  const event = fc.record({ pcr: fc.nat(16), data: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (made) => {
      const events = made.map(({ pcr, data }): MadeEvent => ({ pcr, type: 'EV_IPL', data }));
      const replay = replayOf(events);
      const bank = replay.banks.get('sha256');
      assert.ok(bank !== undefined);
      for (const { pcr, value } of tpmOf(events)) assert.deepEqual(replayedPcr(replay, bank, pcr), value);
    }),
    { numRuns: 60 },
  );
});

test('a log of SHA-1 events has no header, and one bank', () => {
  const u32 = (n: number): Uint8Array => Uint8Array.of(n & 0xff, n >>> 8, 0, 0);
  const data = utf8('text');
  const event = concatBytes(u32(4), u32(5), tpmDigest('sha1', data), u32(data.length), data);
  const log = decodeTcgLog(concatBytes(event, event));
  assert.deepEqual(
    [log.format, log.banks, log.events.length, log.events[1]?.offset],
    ['sha1', ['sha1'], 2, event.length],
  );
});

test('A10: a bank that the firmware never extends is found out', () => {
  const zeros = Array.from({ length: 8 }, (_, pcr): PcrValue => ({ bank: 'sha256', pcr, value: new Uint8Array(32) }));
  const findings = checkReplay(replayOf([]), quoted(zeros));
  assert.deepEqual(codes(findings), Array(8).fill('pcr_never_extended'));
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error').map(({ where }) => where.pcr),
    [0, 4],
  );
});

test('A11: a log without the quoted bank says so, once', () => {
  assert.deepEqual(codes(checkReplay(replayOf(BOOT, ['sha1']), quoted(tpmOf(BOOT)))), ['bank_missing']);
});

test('A11: a bank that one event has no digest of is not replayed', () => {
  // The header declares SHA-256 too; the events carry SHA-1 alone.
  const header = specIdEvent([
    [TPM_HASH.sha1, 20],
    [TPM_HASH.sha256, 32],
  ]);
  const events = agileLog(BOOT, ['sha1']).subarray(specIdEvent([[TPM_HASH.sha1, 20]]).length);
  const replay = replayTcgLog(decodeTcgLog(concatBytes(header, events)));
  assert.deepEqual(codes(replay.findings), ['bank_incomplete']);
  assert.deepEqual([...replay.banks.keys()], ['sha1']);
  assert.deepEqual(codes(checkReplay(replay, quoted(tpmOf(BOOT)))), ['bank_missing']);
});

test('a bank without a name is passed over, and reported', () => {
  const header = specIdEvent([[0x7777, 24]]);
  const event = concatBytes(Uint8Array.of(4, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0x77, 0x77), new Uint8Array(24 + 4));
  const log = decodeTcgLog(concatBytes(header, event));
  assert.deepEqual([log.banks, log.events.length], [[0x7777], 2]);
  assert.deepEqual(codes(replayTcgLog(log).findings), ['bank_uncomputable']);
});

test('A13: a missing, a second, a retyped, a forged and an error separator', () => {
  const check = (events: readonly MadeEvent[]): string[] =>
    checkSeparators(decodeTcgLog(agileLog(events))).map(({ code, where }) => `${code} ${where.pcr}`);
  assert.deepEqual(check(SEPARATORS), []);
  const ones = { ...separator(0), data: new Uint8Array(4).fill(0xff) };
  assert.deepEqual(check([ones, ...SEPARATORS.slice(1)]), []);
  assert.deepEqual(check(SEPARATORS.slice(1)), ['separator_missing 0']);
  assert.deepEqual(check([...SEPARATORS, separator(7)]), ['separator_repeated 7']);
  assert.deepEqual(check([...SEPARATORS.slice(1), { ...separator(0), type: 'EV_ACTION' }]), [
    'separator_type 0',
    'separator_missing 0',
  ]);
  assert.deepEqual(check([...SEPARATORS.slice(1), { ...separator(0), measured: utf8('x') }]), ['separator_type 0']);
  // A14: the value 1 reports an error, whatever the text says.
  const failed = { ...separator(0), data: utf8('all is well'), measured: Uint8Array.of(1, 0, 0, 0) };
  assert.deepEqual(check([failed, ...SEPARATORS.slice(1)]), ['separator_error 0']);
});

test('A17: EV_NO_ACTION is never extended, also with a digest', () => {
  const sneaky: MadeEvent = {
    pcr: 4,
    type: 'EV_NO_ACTION',
    data: utf8('nothing'),
    digest: tpmDigest('sha256', utf8('x')),
  };
  const replay = replayOf([...BOOT, sneaky]);
  assert.deepEqual(codes(replay.findings), ['no_action_digest']);
  assert.deepEqual(checkReplay(replay, quoted(tpmOf(BOOT))), []);
});

test('A17: only the first StartupLocality counts, and none after PCR 0 was extended, or for another PCR', () => {
  assert.deepEqual(replayOf([locality(3), ...BOOT]).startupLocality, 3);
  const second = replayOf([locality(3), locality(0), ...BOOT]);
  assert.deepEqual([second.startupLocality, codes(second.findings)], [3, ['startup_locality_repeated']]);
  const late = replayOf([...BOOT, locality(3)]);
  assert.deepEqual([late.startupLocality, codes(late.findings)], [0, ['startup_locality_late']]);
  const elsewhere = replayOf([locality(3, 1), ...BOOT]);
  assert.deepEqual([elsewhere.startupLocality, codes(elsewhere.findings)], [0, ['startup_locality_late']]);
  const odd = replayOf([locality(2), ...BOOT]);
  assert.deepEqual([odd.startupLocality, codes(odd.findings)], [0, ['startup_locality_value']]);
});

test('A18: a log that lies about the locality does not match', () => {
  const lie = replayOf([locality(3), ...BOOT]);
  assert.deepEqual(checkReplay(lie, quoted(tpmOf(BOOT, 'sha256', 3))), []);
  const findings = checkReplay(lie, quoted(tpmOf(BOOT)));
  assert.deepEqual(
    findings.map(({ code, where }) => [code, where.pcr]),
    [['pcr_mismatch', 0]],
  );
});

test('A19: an H-CRTM event starts PCR 0 from 4, and only before everything else', () => {
  const hcrtm: MadeEvent = { pcr: 0, type: 'EV_EFI_HCRTM_EVENT', data: utf8('HCRTM') };
  const events = [hcrtm, ...BOOT];
  assert.deepEqual(checkReplay(replayOf(events), quoted(tpmOf(events, 'sha256', 4))), []);
  assert.equal(replayOf([action(0, 'first'), hcrtm]).startupLocality, 0);
});

test('A20: cut at an event the log is shorter and mismatches; cut inside it is an error, at every octet', () => {
  const bytes = agileLog(BOOT);
  const ends = new Set(decodeTcgLog(bytes).events.map(({ offset }) => offset));
  const pcrs = tpmOf(BOOT);
  for (let size = 1; size < bytes.length; size++) {
    const part = bytes.subarray(0, size);
    if (ends.has(size)) assert.ok(checkReplay(replayTcgLog(decodeTcgLog(part)), quoted(pcrs)).length > 0);
    else
      assert.match(
        codeOf(() => decodeTcgLog(part)),
        /^log_(malformed|spec_id)$/,
        `${size} octets`,
      );
  }
  assert.equal(
    codeOf(() => decodeTcgLog(new Uint8Array())),
    'log_empty',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(concatBytes(bytes, Uint8Array.of(0)))),
    'log_malformed',
  );
});

test('A21: counts and sizes that no log has end at once', () => {
  const bytes = agileLog(BOOT);
  const start = specIdEvent([[TPM_HASH.sha256, 32]]).length;
  const put = (at: number, ...octets: number[]): Uint8Array => {
    const changed = bytes.slice();
    changed.set(octets, at);
    return changed;
  };
  const max = [0xff, 0xff, 0xff, 0xff];
  // numAlgs, digest count, and sizes of 3 GB, of the first and of another event.
  assert.equal(
    codeOf(() => decodeTcgLog(put(32 + 24, ...max))),
    'log_spec_id',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(put(32 + 24, 17, 0, 0, 0))),
    'log_spec_id',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(put(start + 8, 0x40, 0x42, 0x0f, 0))),
    'log_limit',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(put(start + 8, 2, 0, 0, 0))),
    'log_limit',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(put(28, 0, 0, 0, 0xc0))),
    'log_limit',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(put(start + 12 + 34, 0, 0, 0, 0xc0))),
    'log_limit',
  );
  const limits = { maxEvents: BOOT.length + 1, maxEventBytes: 64 };
  assert.equal(decodeTcgLog(bytes, { limits }).events.length, BOOT.length + 1);
  const fewer = { ...limits, maxEvents: BOOT.length };
  assert.equal(
    codeOf(() => decodeTcgLog(bytes, { limits: fewer })),
    'log_limit',
  );
  const smaller = { ...limits, maxEventBytes: 32 };
  assert.equal(
    codeOf(() => decodeTcgLog(bytes, { limits: smaller })),
    'log_limit',
  );
});

test('headers that contradict themselves, or are of another version, are refused', () => {
  const headers: (readonly (readonly [number, number])[])[] = [
    [],
    [[TPM_HASH.sha256, 20]],
    [[0x7777, 0]],
    [[0x7777, 65]],
    [
      [TPM_HASH.sha1, 20],
      [TPM_HASH.sha1, 20],
    ],
  ];
  for (const banks of headers)
    assert.equal(
      codeOf(() => decodeTcgLog(specIdEvent(banks))),
      'log_spec_id',
    );
  const old = specIdEvent([[TPM_HASH.sha256, 32]]);
  old[32 + 21] = 1;
  assert.equal(
    codeOf(() => decodeTcgLog(old)),
    'log_spec_id',
  );
});

test('a digest of a bank that the header does not declare, and two of one bank, are errors', () => {
  const header = specIdEvent([
    [TPM_HASH.sha1, 20],
    [TPM_HASH.sha256, 32],
  ]);
  const event = (...algorithms: TpmHash[]): Uint8Array =>
    concatBytes(
      Uint8Array.of(4, 0, 0, 0, 5, 0, 0, 0, algorithms.length, 0, 0, 0),
      ...algorithms.flatMap((name) => [Uint8Array.of(TPM_HASH[name], 0), new Uint8Array(tpmHashSize(name))]),
      new Uint8Array(4),
    );
  assert.equal(decodeTcgLog(concatBytes(header, event('sha1', 'sha256'))).events.length, 2);
  assert.equal(
    codeOf(() => decodeTcgLog(concatBytes(header, event('sha384')))),
    'log_malformed',
  );
  assert.equal(
    codeOf(() => decodeTcgLog(concatBytes(header, event('sha256', 'sha256')))),
    'log_malformed',
  );
});

test('A22, A44: events for PCR 24 and above, and for those of a dynamic launch, are left out and reported', () => {
  for (const [pcr, code] of [
    [24, 'event_pcr_range'],
    [0xffff_ffff, 'event_pcr_range'],
    [17, 'event_pcr_drtm'],
    [22, 'event_pcr_drtm'],
  ] as const) {
    const replay = replayOf([...BOOT, action(pcr, 'out of range')]);
    assert.deepEqual(codes(replay.findings), [code]);
    assert.equal(replay.banks.get('sha256')?.pcrs.has(pcr), false);
  }
  assert.deepEqual(replayOf([action(23, 'application')]).findings, []);
});

test('padding of a CCEL area needs its quirk, and is nothing but 0xff', () => {
  const bytes = agileLog(BOOT);
  const padded = concatBytes(bytes, new Uint8Array(64).fill(0xff));
  assert.equal(
    codeOf(() => decodeTcgLog(padded)),
    'log_padding',
  );
  const quirks = ['ccel_padding'] as const;
  assert.equal(decodeTcgLog(padded, { quirks }).events.length, BOOT.length + 1);
  padded[padded.length - 1] = 0xfe;
  assert.match(
    codeOf(() => decodeTcgLog(padded, { quirks })),
    /^log_(limit|malformed)$/,
  );
});
