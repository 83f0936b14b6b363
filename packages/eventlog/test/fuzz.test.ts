// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeImaEntry, decodeImaList, decodeTcgLog, replayIma, replayTcgLog } from '@vouchsafe/eventlog';
import fc from 'fast-check';
import { target as anyLog } from '../fuzz/any-log.ts';
import { target as eventContent } from '../fuzz/event-content.ts';
import { target as imaList } from '../fuzz/ima-list.ts';
import { target as tcgLog } from '../fuzz/tcg-log.ts';

for (const target of [tcgLog, imaList, anyLog, eventContent]) {
  test(`${target.name}: mutated input gives events or an EventLogError, nothing else`, () => {
    const seeds = target.seeds();
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), changes, fc.option(fc.nat(), { freq: 5 }), (seed, octets, cut) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of octets) bytes[at % bytes.length] = value;
        target.run(cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => target.run(bytes)));
  });
}

const testdata = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../testdata/${name}`, import.meta.url)));

test('the seeds are what PROVENANCE.md says', () => {
  const log = decodeTcgLog(testdata('tcg/agile.bin'));
  const replay = replayTcgLog(log);
  assert.deepEqual([log.banks, replay.startupLocality, replay.findings], [['sha1', 'sha256'], 3, []]);
  assert.equal(decodeTcgLog(testdata('tcg/sha1.bin')).events.length, 3);
  const entries = decodeImaList(testdata('ima/templates.bin'));
  assert.deepEqual(
    entries.map((event) => [event.type, decodeImaEntry(event).kind, event.isViolation]),
    [
      ['ima-ng', 'file', false],
      ['ima-sig', 'file', false],
      ['ima', 'file', false],
      ['ima-ng', 'file', true],
    ],
  );
  // Template 'ima' hashes the name in a field of 256 octets: its entry here was given the hash of the data as it lies.
  assert.deepEqual(
    replayIma(entries, { bank: 'sha1' }).findings.map(({ where }) => where.event),
    [2],
  );
});
