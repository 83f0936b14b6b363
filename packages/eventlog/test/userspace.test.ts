// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import {
  type BootLog,
  checkEventData,
  decodeLog,
  decodeTcgLog,
  decodeUserspaceLog,
  describeLog,
  replayFindings,
  replayLogs,
  stagesOf,
  trustOf,
} from '@vouchsafe/eventlog';
import { tpmDigest } from '@vouchsafe/tpm';
import fc from 'fast-check';
import { BOOT, phase, record } from './made-userspace.ts';
import { agileLog, codeOf, SEPARATORS } from './support.ts';

const LOG = concatBytes(...BOOT.map(record));

test('records: PCR, digests, what systemd says; stages by the phases; trust by the digests', () => {
  const log = decodeLog(LOG);
  assert.ok(log.kind === 'userspace');
  assert.deepEqual(log.banks, ['sha256']);
  assert.deepEqual(
    log.events.map(({ pcr, type }) => [pcr, type]),
    BOOT.map(({ pcr, eventType }) => [pcr, eventType]),
  );
  assert.deepEqual(log.events[0]?.content, {
    eventType: 'phase',
    string: 'enter-initrd',
    bootId: '5f'.repeat(16),
    timestampUs: 12345678,
  });
  assert.deepEqual(stagesOf(log), [...Array(3).fill('initrd'), ...Array(4).fill('userspace')]);
  assert.deepEqual(
    log.events.map((event) => trustOf(event, 'sha256')),
    ['measured', 'claimed', 'measured', 'measured', 'measured', 'measured', 'measured'],
  );
  assert.deepEqual(checkEventData(log, 'sha256'), []);
  assert.equal(describeLog(log)[0]?.summary, 'phase enter-initrd');
});

test('merged with the firmware log: PCR 11 goes on where the stub ended', () => {
  const firmware = decodeTcgLog(agileLog([...SEPARATORS, { pcr: 11, type: 'EV_IPL', data: utf8('section') }]));
  const userspace = decodeUserspaceLog(LOG);
  const replay = replayLogs([firmware, userspace]);
  const extend = (value: Uint8Array, text: string): Uint8Array =>
    tpmDigest('sha256', concatBytes(value, tpmDigest('sha256', utf8(text))));
  const texts = ['section', 'enter-initrd', 'leave-initrd', 'sysinit', 'ready'];
  assert.deepEqual(replay.banks.get('sha256')?.pcrs.get(11), texts.reduce(extend, new Uint8Array(32)));
});

test('a bank that userspace did not log leaves its PCRs unknown, and the others as they are', () => {
  const firmware = decodeTcgLog(agileLog(SEPARATORS, ['sha1', 'sha256']));
  const replay = replayLogs([firmware, decodeUserspaceLog(LOG)]);
  const sha1 = replay.banks.get('sha1');
  assert.deepEqual([...(sha1?.unknown ?? [])].sort(), [11, 15]);
  assert.equal(sha1?.pcrs.has(11), false);
  assert.ok(sha1?.pcrs.has(7));
  assert.deepEqual(
    replay.findings.map(({ code, where }) => [code, where.bank, where.pcr]),
    [
      ['bank_incomplete', 'sha1', 11],
      ['bank_incomplete', 'sha1', 15],
    ],
  );
});

test('findings without values are those of the replay, in their order', () => {
  const nowhere = { pcr: 24, type: 'EV_IPL', data: utf8('x') } as const;
  const firmware = decodeTcgLog(agileLog([nowhere, ...SEPARATORS], ['sha1', 'sha256']));
  const logs = [firmware, decodeUserspaceLog(LOG)];
  for (const banks of [undefined, ['sha384', 'sha1'] as const, ['sha256'] as const, []]) {
    const options = { artefacts: ['a', 'b'], ...(banks === undefined ? {} : { banks }) };
    const { findings } = replayLogs(logs, options);
    assert.deepEqual(replayFindings(logs, options), findings);
    assert.equal(findings.filter(({ code }) => code === 'event_pcr_range').length, 1);
  }
  assert.deepEqual(
    replayFindings(logs).map(({ code }) => code),
    ['event_pcr_range', 'bank_incomplete', 'bank_incomplete'],
  );
});

test('NvPCRs: their initialisation is in PCR 9, their events in registers of their own', () => {
  const log = decodeUserspaceLog(
    concatBytes(
      record({ pcr: 9, eventType: 'nvpcr-init', string: 'nvpcr-init:hardware:0x1d10200:5f5f' }),
      record({ nvIndex: 0x1d10200, nvIndexName: 'hardware', eventType: 'product-id', string: 'product-id:5f' }),
      record({ nvIndexName: 'cryptsetup', eventType: 'keyslot', string: 'cryptsetup-keyslot:root:…' }),
    ),
  );
  assert.deepEqual(
    log.events.map((event) => (event.pcr === undefined ? [event.nvName, event.nvIndex] : event.pcr)),
    [9, ['hardware', 0x1d10200], ['cryptsetup', undefined]],
  );
  const bank = replayLogs([log]).banks.get('sha256');
  assert.deepEqual([...(bank?.nvPcrs.keys() ?? [])], ['hardware', 'cryptsetup']);
  const digest = tpmDigest('sha256', utf8('product-id:5f'));
  assert.deepEqual(bank?.nvPcrs.get('hardware'), tpmDigest('sha256', concatBytes(new Uint8Array(32), digest)));
  assert.deepEqual([...(bank?.pcrs.keys() ?? [])], [9]);
});

test('TDX guests: RTMRs are counted from 1, as in the log of their firmware', () => {
  const log = decodeUserspaceLog(record({ rtmr: 2, eventType: 'phase', string: 'ready', banks: ['sha384'] }));
  assert.equal(log.events[0]?.pcr, 3);
  assert.equal(
    codeOf(() => decodeUserspaceLog(record({ rtmr: 4, eventType: 'phase', string: 'ready' }))),
    'log_malformed',
  );
});

test('A15: a phase that was not what was measured is found out', () => {
  const log = decodeUserspaceLog(record({ ...phase('ready'), measured: 'enter-initrd' }));
  assert.deepEqual(
    checkEventData(log, 'sha256').map(({ code, where }) => [code, where.pcr]),
    [['event_data_mismatch', 11]],
  );
});

test('malformed: truncations, records without LF or RS, other JSON, contradictions; an empty log is none', () => {
  const one = record(phase('ready'));
  assert.deepEqual(decodeUserspaceLog(new Uint8Array()).events, []);
  for (let size = 1; size < one.length; size++) {
    assert.equal(
      codeOf(() => decodeUserspaceLog(one.subarray(0, size))),
      'log_malformed',
      `${size} octets`,
    );
  }
  const bad = (value: unknown): string => codeOf(() => decodeUserspaceLog(utf8(`\u001e${JSON.stringify(value)}\n`)));
  const digests = [{ hashAlg: 'sha256', digest: '00'.repeat(32) }];
  const good = { pcr: 11, digests, content_type: 'systemd', content: { string: 'x' } };
  for (const value of [
    [],
    null,
    { ...good, pcr: -1 },
    { ...good, pcr: 1.5 },
    { ...good, pcr: '11' },
    { ...good, pcr: undefined },
    { ...good, digests: undefined },
    { ...good, digests: [{ hashAlg: 'sha256', digest: '00' }] },
    { ...good, digests: [{ hashAlg: 'md5', digest: '00'.repeat(16) }] },
    { ...good, digests: [...digests, ...digests] },
  ]) {
    assert.equal(bad(value), 'log_malformed', JSON.stringify(value));
  }
  assert.equal(bad({ ...good, digests: Array(17).fill(digests[0]) }), 'log_limit');
  const limits = { maxEvents: 1, maxEventBytes: one.length };
  assert.equal(decodeUserspaceLog(one, { limits }).events.length, 1);
  assert.equal(
    codeOf(() => decodeUserspaceLog(concatBytes(one, one), { limits })),
    'log_limit',
  );
  assert.equal(
    codeOf(() => decodeUserspaceLog(one, { limits: { ...limits, maxEventBytes: one.length - 1 } })),
    'log_limit',
  );
});

test('any texts come back as they were, and any octets are a log or a coded error', () => {
  fc.assert(
    fc.property(fc.string(), (string) => {
      const [event] = decodeUserspaceLog(record({ pcr: 15, eventType: 'filesystem', string })).events;
      assert.equal(event?.content.string, string);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(LOG.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bytes = LOG.slice();
      for (const [at, octet] of changes) bytes[at] = octet;
      try {
        const log: BootLog = decodeUserspaceLog(bytes);
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
    }),
  );
});
