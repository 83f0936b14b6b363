// SPDX-License-Identifier: Apache-2.0
// One log in the three encodings of the canonical event log, each written here by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import {
  type BootLog,
  type CelEncoding,
  decodeCelLog,
  decodeEventData,
  decodeLog,
  describeLog,
  isTdxLog,
  registerName,
  replayLogs,
} from '@vouchsafe/eventlog';
import { tpmDigest } from '@vouchsafe/tpm';
import fc from 'fast-check';
import { big, cbor, cborRecord, head, json, type MadeRecord, RECORDS, SYSTEMD, tlv, tlvLog } from './made-cel.ts';
import { codeOf } from './support.ts';

const ENCODINGS: Readonly<Record<CelEncoding, (records: readonly MadeRecord[]) => Uint8Array>> = {
  json,
  tlv: tlvLog,
  cbor,
};

const essence = ({ events }: BootLog): unknown =>
  events.map((event) => {
    const { source, index, pcr, type, digests, data, management } = event;
    return { source, index, pcr, type, digests, data: toHex(data), management };
  });

for (const [format, write] of Object.entries(ENCODINGS) as [CelEncoding, (typeof ENCODINGS)[CelEncoding]][]) {
  test(`${format}: known by its content; the events, and what they replay to`, () => {
    const log = decodeLog(write(RECORDS));
    assert.ok(log.kind === 'cel');
    assert.equal(log.format, format);
    assert.deepEqual(essence(log), essence(decodeLog(json(RECORDS))));
    assert.deepEqual(
      log.events.map(({ source, type }) => [source, type]),
      [
        ['cel', 'cel'],
        ['tcg', 'EV_EFI_ACTION'],
        ['ima', 'ima-ng'],
        ['cel', 'cel'],
        ['cel', 'cel'],
        ['cel', 'cel'],
        ['tcg', 0x7777],
      ],
    );
    const [version] = log.events;
    assert.ok(version !== undefined);
    assert.deepEqual(decodeEventData(version), {
      kind: 'celManagement',
      management: { kind: 'version', major: 1, minor: 1 },
    });
    const replay = replayLogs([log]);
    assert.deepEqual(replay.findings, []);
    const bank = replay.banks.get('sha256');
    // Version and end of the firmware were not extended; a time and a state were.
    assert.deepEqual([...(bank?.pcrs.keys() ?? [])], [4, 10, 12]);
    assert.deepEqual([...(bank?.nvPcrs.keys() ?? [])], ['0x1d10200']);
    assert.equal(describeLog(log).length, RECORDS.length);
  });

  test(`${format}: cut at a record it is a shorter log, or an error; cut inside one, an error`, () => {
    const bytes = write(RECORDS);
    const borders = new Set<number>();
    if (format === 'tlv')
      RECORDS.reduce((at, made) => {
        borders.add(at);
        return at + tlvLog([made]).length;
      }, 0);
    for (let size = 0; size < bytes.length; size++) {
      const part = bytes.subarray(0, size);
      if (size > 0 && borders.has(size)) decodeCelLog(part, format);
      else
        assert.match(
          codeOf(() => decodeCelLog(part, format)),
          /^log_(malformed|empty)$/,
          `${size} octets`,
        );
    }
    assert.equal(
      codeOf(() => decodeCelLog(concatBytes(bytes, Uint8Array.of(0x7d)), format)),
      'log_malformed',
    );
    const limits = { maxEvents: RECORDS.length, maxEventBytes: 1000 };
    assert.equal(decodeCelLog(bytes, format, { limits }).events.length, RECORDS.length);
    const fewer = { ...limits, maxEvents: RECORDS.length - 1 };
    assert.equal(
      codeOf(() => decodeCelLog(bytes, format, { limits: fewer })),
      'log_limit',
    );
  });

  test(`${format}: any change gives a log or a coded error`, () => {
    const seed = write(RECORDS);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = seed.slice();
          for (const [at, octet] of changes) bytes[at] = octet;
          try {
            const log = decodeCelLog(bytes, format);
            describeLog(log);
            replayLogs([log]);
          } catch (error) {
            assert.match(
              codeOf(() => {
                throw error;
              }),
              /^log_/,
            );
          }
        },
      ),
      { numRuns: 400 },
    );
  });
}

test("systemd's records in JSON and CBOR; CBOR also one record after the other", () => {
  for (const bytes of [json([SYSTEMD]), cbor([SYSTEMD]), cborRecord(SYSTEMD)]) {
    const log = decodeLog(bytes);
    const [event] = log.events;
    assert.deepEqual([event?.source, event?.type, event?.content?.string], ['userspace', 'phase', 'ready']);
  }
  const sequence = concatBytes(...RECORDS.map(cborRecord));
  assert.deepEqual(essence(decodeLog(sequence)), essence(decodeLog(cbor(RECORDS))));
});

test('CBOR: indefinite lengths, longer forms than needed and other keys are errors', () => {
  const good = cborRecord(RECORDS[1] as MadeRecord);
  const bad = (bytes: Uint8Array): string => codeOf(() => decodeCelLog(bytes, 'cbor'));
  assert.equal(bad(concatBytes(Uint8Array.of(0x9f), good, Uint8Array.of(0xff))), 'log_malformed');
  // recnum 1 in two octets.
  assert.equal(bad(concatBytes(good.subarray(0, 2), parseHex('1801'), good.subarray(3))), 'log_malformed');
  const key = good.slice();
  key[1] = 8;
  assert.equal(bad(key), 'log_malformed');
  assert.equal(bad(concatBytes(head(4, 0x1_0000_0000n), good)), 'log_limit');
});

test('A8: two digests for one bank, and one of another size, are errors in each encoding', () => {
  const digest = new Uint8Array(32);
  const two = tlv(3, tlv(11, digest), tlv(11, digest));
  const short = tlv(3, tlv(11, digest.subarray(1)));
  for (const digests of [two, short]) {
    const bytes = concatBytes(tlv(0, big(0)), tlv(1, big(4)), digests, tlv(5, tlv(0, big(5)), tlv(1)));
    assert.equal(
      codeOf(() => decodeCelLog(bytes, 'tlv')),
      'log_malformed',
    );
  }
});

test('content of a type without a name is kept as it is: COS in TLV', () => {
  const content = tlv(80, tlv(0, utf8('image')));
  const bytes = concatBytes(tlv(0, new Uint8Array(8)), tlv(1, big(13)), tlv(3, tlv(11, new Uint8Array(32))), content);
  const log = decodeLog(bytes);
  assert.ok(log.kind === 'cel' && log.format === 'tlv');
  assert.deepEqual([log.events[0]?.source, log.events[0]?.type], ['cel', 80]);
});

test('registers of a confidential machine, as Confidential Space writes them: RTMR 3, apart from a TPM in one log', () => {
  const record = (register: number): Uint8Array =>
    concatBytes(
      tlv(0, new Uint8Array(8)),
      tlv(register, Uint8Array.of(4)),
      tlv(3, tlv(12, tpmDigest('sha384', utf8('image')))),
      tlv(80, tlv(0, utf8('image'))),
    );
  const log = decodeLog(record(108));
  assert.ok(log.kind === 'cel' && log.isConfidential && isTdxLog(log));
  assert.deepEqual(
    log.events.map((event) => registerName(event, true)),
    ['RTMR 3'],
  );
  assert.deepEqual([...(replayLogs([log]).banks.get('sha384')?.pcrs.keys() ?? [])], [4]);
  const pcrs = decodeLog(record(1));
  assert.ok(pcrs.kind === 'cel' && !pcrs.isConfidential);
  for (const mixed of [
    [108, 1],
    [1, 108],
  ]) {
    assert.equal(
      codeOf(() => decodeLog(concatBytes(...mixed.map(record)))),
      'log_malformed',
    );
  }
});
