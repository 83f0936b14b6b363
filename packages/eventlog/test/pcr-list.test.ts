// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { comparePcrs, decodeLog, decodeTcgLog, parsePcrList, replayLogs } from '@vouchsafe/eventlog';
import { needsTool, needsVectors, startSwtpm, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { agileLog, codeOf, imaEntry, imaNgData, readVector, SEPARATORS } from './support.ts';

const A = 'ab'.repeat(32);
const B = 'cd'.repeat(20);
const shown = (text: string): unknown =>
  parsePcrList(utf8(text)).map(({ bank, pcr, value }) => [bank, pcr, toHex(value)]);

const FORMS: Readonly<Record<string, string>> = {
  'JSON of log replay': JSON.stringify({ logs: [], pcrs: { sha256: { 0: A }, sha1: { 17: B } } }),
  'JSON of the banks alone': JSON.stringify({ sha256: { 0: `0x${A}` }, sha1: { 17: B } }),
  tpm2_pcrread: `  sha256:\n    0 : 0x${A.toUpperCase()}\n  sha1:\n    17: 0x${B.toUpperCase()}\n`,
  'tpm2_eventlog, its end': `pcrs:\n  sha256:\n    0  : 0x${A}\n  sha1:\n    17 : 0x${B}\n`,
  'lines with colons': `sha256:0:${A}\nsha1:17:${B}\n`,
  'lines with equals signs': `sha256:0=0x${A}\r\nsha1:17=${B}\r\n`,
  'lines with spaces': `# PCRs\nsha256 0 ${A}\n\nsha1 17 ${B}`,
  'sysfs, by grep': `/sys/class/tpm/tpm0/pcr-sha256/0:${A.toUpperCase()}\npcr-sha1/17:${B}\n`,
};

for (const [name, text] of Object.entries(FORMS)) {
  test(`${name}: the values`, () => {
    assert.deepEqual(shown(text), [
      ['sha256', 0, A],
      ['sha1', 17, B],
    ]);
  });
}

test('sysfs of a TPM 1.2: octets with spaces between, in SHA-1', () => {
  const octets = B.toUpperCase().match(/../g)?.join(' ');
  assert.deepEqual(shown(`PCR-00: ${octets} \nPCR-17: ${octets}\n`), [
    ['sha1', 0, B],
    ['sha1', 17, B],
  ]);
});

test('what is no list, says a PCR twice, or has values of another size, is an error', () => {
  for (const text of [
    '',
    'hello',
    '{',
    '{"sha256": 1}',
    '{"sha256": {"0": 1}}',
    `{"sha256": {"32": "${A}"}}`,
    `{"md5": {"0": "${B}"}}`,
    `sha256:0:${A}\nsha256:0:${A}`,
    `sha256:0:${B}`,
    `sha256:0:${A.slice(1)}`,
    'sha256:\n',
    `${`sha256:0:${A}\n`.repeat(4097)}`,
  ]) {
    assert.equal(
      codeOf(() => parsePcrList(utf8(text))),
      'pcr_list_malformed',
      text.slice(0, 40),
    );
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parsePcrList(utf8(text));
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'pcr_list_malformed');
      }
    }),
  );
});

test('tpm2_pcrread of swtpm is read, all of it', needsTool('swtpm', 'tpm2_pcrread'), async (t) => {
  const swtpm = await startSwtpm(t, tempDir(t));
  const values = parsePcrList(await swtpm.tool('tpm2_pcrread'));
  const ofSha256 = values.filter(({ bank }) => bank === 'sha256');
  assert.deepEqual(
    ofSha256.map(({ pcr }) => pcr),
    Array.from({ length: 24 }, (_, pcr) => pcr),
  );
  // Of a TPM that nothing extended the replay of no events is right: PCR 17 to 22 are ones.
  const log = decodeTcgLog(agileLog([]));
  const compared = comparePcrs(replayLogs([log]), [log], ofSha256);
  assert.ok(compared.every(({ result }) => result === 'equal'));
});

test('boot vectors: pcrs.txt', needsVectors('boot'), () => {
  assert.equal(parsePcrList(readVector('boot', 'evlog', 'det-a.pcrs.txt')).length, 24);
});

test('compared: equal, a part of the list, another value, what no log explains, a bank that is not there', () => {
  const firmware = decodeTcgLog(agileLog(SEPARATORS));
  const list = decodeLog(imaEntry('ima-ng', imaNgData('/a')));
  const longer = decodeLog(
    Uint8Array.from([...imaEntry('ima-ng', imaNgData('/a')), ...imaEntry('ima-ng', imaNgData('/b'))]),
  );
  const before = replayLogs([list], { banks: ['sha256'] }).banks.get('sha256');
  const logs = [firmware, longer];
  const replay = replayLogs(logs);
  const bank = replay.banks.get('sha256');
  const given = [
    { bank: 'sha256', pcr: 7, value: bank?.pcrs.get(7) ?? new Uint8Array() },
    { bank: 'sha256', pcr: 10, value: before?.pcrs.get(10) ?? new Uint8Array() },
    { bank: 'sha256', pcr: 4, value: new Uint8Array(32) },
    { bank: 'sha256', pcr: 11, value: new Uint8Array(32).fill(1) },
    { bank: 'sha256', pcr: 12, value: new Uint8Array(32) },
    { bank: 'sha384', pcr: 7, value: new Uint8Array(48) },
  ] as const;
  const compared = comparePcrs(replay, logs, given);
  assert.deepEqual(
    compared.map(({ result }) => result),
    ['equal', 'equal_to_part', 'different', 'unexplained', 'equal', 'not_in_bank'],
  );
  assert.deepEqual(compared[1]?.entries, { covered: 1, all: 2 });
});
