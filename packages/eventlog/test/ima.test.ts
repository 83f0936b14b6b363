// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import {
  decodeImaEntry,
  decodeImaList,
  decodeTcgLog,
  findImaPrefix,
  type ImaEvent,
  replayedPcr,
  replayIma,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { tpmDigest } from '@vouchsafe/tpm';
import fc from 'fast-check';
import { codeOf, imaEntry, imaNgData, readVector } from './support.ts';

const hexFile = (name: string): Uint8Array => parseHex(readFileSync(vectorPath('boot', 'ima', name), 'utf8').trim());

/** The list in the kernel's ascii form, as far as ima-ng goes. */
function formatAscii(event: ImaEvent): string {
  const entry = decodeImaEntry(event);
  assert.ok(entry.kind === 'file');
  const { algorithm, digest, path } = entry.file;
  const template = toHex(event.digests[0]?.digest ?? new Uint8Array());
  return `${event.pcr} ${template} ${event.type} ${algorithm}:${toHex(digest)} ${path}`;
}

const LISTS = [
  ['det-a.ima_binary', 'det-a.ima_ascii', 'det-a.pcr10_after'],
  ['full-ima.ima_binary', 'full-ima.ima_ascii', 'full-ima.pcr10_after'],
  ['full-ima.ima_binary2', 'full-ima.ima_ascii2', 'full-ima.pcr10_after2_sha256'],
] as const;

for (const [binary, ascii, pcr10] of LISTS) {
  test(
    `boot vectors, ${binary}: replays to PCR 10, and says what the kernel's ascii list says`,
    needsVectors('boot', 'ima'),
    () => {
      const events = decodeImaList(readVector('boot', 'ima', binary));
      const lines = readFileSync(vectorPath('boot', 'ima', ascii), 'utf8')
        .trimEnd()
        .split('\n');
      assert.deepEqual(events.map(formatAscii), lines);
      const found = findImaPrefix(events, hexFile(pcr10), { bank: 'sha256' });
      assert.ok(found !== undefined, 'some prefix replays to PCR 10');
      assert.deepEqual(found.replay.findings, []);
      assert.equal(found.endOffset, events[found.events.length - 1]?.endOffset);
    },
  );
}

test('A42: boot_aggregate is the SHA-256 over PCR 0 to 9 of the firmware log', needsVectors('boot'), () => {
  for (const name of ['det-a', 'full-ima']) {
    const [first] = decodeImaList(readVector('boot', 'ima', `${name}.ima_binary`));
    assert.ok(first !== undefined);
    const entry = decodeImaEntry(first);
    const replay = replayTcgLog(decodeTcgLog(readVector('boot', 'evlog', `${name}.bin`)));
    const bank = replay.banks.get('sha256');
    assert.ok(bank !== undefined && entry.kind === 'file');
    const values = Array.from({ length: 10 }, (_, pcr) => replayedPcr(replay, bank, pcr));
    assert.deepEqual(entry.file.digest, tpmDigest('sha256', concatBytes(...values)));
    assert.equal(entry.file.path, 'boot_aggregate');
  }
});

const SML = ['attestation', 'tpm2-software__tpm2-tss', 'test', 'data', 'fapi', 'eventlog'];

/** Made by hand: octets that belong to no entry are at their end, or the last NUL is missing. */
const SML_FILES = [
  { name: 'sml-ima-sha1', stray: 1, entries: 12, missing: 0 },
  { name: 'sml-ima-ng-sha1', stray: 1, entries: 6, missing: 1 },
  { name: 'sml-ima-sig-sha256', stray: 6, entries: 9, missing: 0 },
];

for (const { name, stray, entries, missing } of SML_FILES) {
  test(
    `tss2-fapi, ${name}: every template hash is that of its data, stray octets are refused`,
    needsVectors(...SML),
    () => {
      const bytes = readVector(...SML, `${name}.b64`);
      assert.equal(
        codeOf(() => decodeImaList(bytes)),
        'log_malformed',
      );
      const events = decodeImaList(bytes.subarray(0, -stray));
      const { findings, violations } = replayIma(events, { bank: 'sha1' });
      assert.equal(events.length, entries);
      assert.deepEqual([findings, violations], [[], []]);
      for (const event of events) assert.equal(decodeImaEntry(event).kind, 'file');
    },
  );

  test(`A38: tss2-fapi, ${name}-invalidated: counted as a violation, and extends ones`, needsVectors(...SML), () => {
    const bytes = readVector(...SML, `${name}-invalidated.b64`);
    if (missing > 0)
      assert.equal(
        codeOf(() => decodeImaList(bytes)),
        'log_malformed',
      );
    const events = decodeImaList(concatBytes(bytes, new Uint8Array(missing)));
    const last = events.at(-1);
    assert.ok(last?.isViolation);
    const before = replayIma(events.slice(0, -1), { bank: 'sha256', pcr: last.pcr }).value;
    const { value, violations } = replayIma(events, { bank: 'sha256', pcr: last.pcr });
    assert.equal(violations.length, 1);
    assert.deepEqual(value, tpmDigest('sha256', concatBytes(before, new Uint8Array(32).fill(0xff))));
  });
}

test('banks: own hash, and SHA-1 with zeros behind it as kernels before 5.8 did', () => {
  const data = imaNgData('/init');
  const events = decodeImaList(imaEntry('ima-ng', data));
  const zeros = new Uint8Array(32);
  const own = tpmDigest('sha256', concatBytes(zeros, tpmDigest('sha256', data)));
  assert.deepEqual(replayIma(events, { bank: 'sha256' }).value, own);
  const padded = tpmDigest('sha256', concatBytes(zeros, tpmDigest('sha1', data), new Uint8Array(12)));
  assert.deepEqual(replayIma(events, { bank: 'sha256', padding: 'sha1_padded' }).value, padded);
});

test('an entry whose data was changed is found out, and replays by its data', () => {
  const [honest, forged] = [imaNgData('/usr/bin/good'), imaNgData('/usr/bin/evil')];
  const events = decodeImaList(imaEntry('ima-ng', forged, tpmDigest('sha1', honest)));
  const { findings, value } = replayIma(events, { bank: 'sha1' });
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['ima_template_hash'],
  );
  assert.deepEqual(value, tpmDigest('sha1', concatBytes(new Uint8Array(20), tpmDigest('sha1', forged))));
});

test('A39: only the prefix that was quoted is evidence; a list of another boot has none', () => {
  const list = concatBytes(...['/a', '/b', '/c', '/d'].map((path) => imaEntry('ima-ng', imaNgData(path))));
  const events = decodeImaList(list);
  const quoted = replayIma(events.slice(0, 3), { bank: 'sha256' }).value;
  const found = findImaPrefix(events, quoted, { bank: 'sha256' });
  assert.deepEqual([found?.events.length, found?.endOffset], [3, events[3]?.offset]);
  assert.equal(findImaPrefix(events.slice(1), quoted, { bank: 'sha256' }), undefined);
  assert.equal(findImaPrefix(events, new Uint8Array(32), { bank: 'sha256' })?.events.length, 0);
  // From where the last quote ended.
  const start = replayIma(events.slice(0, 2), { bank: 'sha256' }).value;
  assert.equal(findImaPrefix(events.slice(2), quoted, { bank: 'sha256', start })?.events.length, 1);
});

test('A40: names with spaces and newlines are kept; NULs inside and other bytes are raw', () => {
  const [odd] = decodeImaList(imaEntry('ima-ng', imaNgData('/tmp/a b\n10 00 ima-ng /bin/sh')));
  assert.ok(odd !== undefined);
  const entry = decodeImaEntry(odd);
  assert.ok(entry.kind === 'file');
  assert.equal(entry.file.path, '/tmp/a b\n10 00 ima-ng /bin/sh');
  for (const path of [utf8('/bin/sh\0/evil\0'), utf8('/bin/sh'), Uint8Array.of(0xff, 0xfe, 0), new Uint8Array()]) {
    const [event] = decodeImaList(imaEntry('ima-ng', imaNgData(path)));
    assert.ok(event !== undefined);
    assert.equal(decodeImaEntry(event).kind, 'raw');
  }
  const [other] = decodeImaList(imaEntry('ima-new', imaNgData('x')));
  assert.ok(other !== undefined);
  assert.equal(decodeImaEntry(other).kind, 'fields');
});

test('every truncation inside an entry is an error, at an entry it is a shorter list', () => {
  const entries = [
    imaEntry('ima-ng', imaNgData('/init')),
    imaEntry('ima', concatBytes(new Uint8Array(20), Uint8Array.of(5, 0, 0, 0), utf8('/init'))),
    imaEntry('ima-sig', imaNgData('/bin/sh')),
  ];
  const list = concatBytes(...entries);
  const ends = new Set([0, ...decodeImaList(list).map(({ endOffset }) => endOffset)]);
  for (let size = 0; size <= list.length; size++) {
    const part = list.subarray(0, size);
    if (ends.has(size)) decodeImaList(part);
    else
      assert.equal(
        codeOf(() => decodeImaList(part)),
        'log_malformed',
        `${size} octets`,
      );
  }
});

test('A21: sizes and counts beyond the limits are errors', () => {
  const entry = imaEntry('ima-ng', imaNgData('/init'));
  const change = (at: number, ...octets: number[]): Uint8Array => {
    const changed = entry.slice();
    changed.set(octets, at);
    return changed;
  };
  assert.equal(
    codeOf(() => decodeImaList(change(24, 0, 1, 0, 0))),
    'log_limit',
  );
  assert.equal(
    codeOf(() => decodeImaList(change(24, 0, 0, 0, 0))),
    'log_malformed',
  );
  assert.equal(
    codeOf(() => decodeImaList(change(28, 0x20))),
    'log_malformed',
  );
  assert.equal(
    codeOf(() => decodeImaList(change(34, 0xff, 0xff, 0xff, 0xff))),
    'log_limit',
  );
  const limits = { maxEvents: 2, maxEventBytes: 1000 };
  assert.equal(decodeImaList(concatBytes(entry, entry), { limits }).length, 2);
  assert.equal(
    codeOf(() => decodeImaList(concatBytes(entry, entry, entry), { limits })),
    'log_limit',
  );
});

test('any octets give a list or an error of ours', () => {
  const seed = concatBytes(imaEntry('ima-ng', imaNgData('/init')), imaEntry('ima-sig', imaNgData('/bin/sh')));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bytes = seed.slice();
      for (const [at, octet] of changes) bytes[at] = octet;
      try {
        for (const event of decodeImaList(bytes)) decodeImaEntry(event);
      } catch (error) {
        assert.match(
          codeOf(() => {
            throw error;
          }),
          /^log_/,
        );
      }
    }),
  );
});
