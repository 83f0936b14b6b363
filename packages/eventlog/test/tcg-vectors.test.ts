// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { parseHex, toHex } from '@vouchsafe/base';
import {
  checkEventData,
  checkReplay,
  checkSeparators,
  decodeEventData,
  decodeTcgLog,
  digestOf,
  type Replay,
  replayedPcr,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { isTpmHash, type PcrValue } from '@vouchsafe/tpm';
import { codeOf, quoted, readJson, readVector } from './support.ts';

const ATTESTATION = needsVectors('attestation');

/** A PCR of a replay in hexadecimal. */
function pcrOf(replay: Replay, bank: string, pcr: number): string {
  const replayed = isTpmHash(bank) ? replay.banks.get(bank) : undefined;
  assert.ok(replayed !== undefined, `bank ${bank} was replayed`);
  return toHex(replayedPcr(replay, replayed, pcr));
}

type Pcrs = Readonly<Record<string, Readonly<Record<string, string>>>>;

function assertPcrs(replay: Replay, expected: Pcrs, except: (pcr: number) => boolean = () => false): number {
  let compared = 0;
  for (const [bank, pcrs] of Object.entries(expected)) {
    for (const [pcr, value] of Object.entries(pcrs)) {
      if (except(Number(pcr))) continue;
      assert.equal(pcrOf(replay, bank, Number(pcr)), value.toLowerCase(), `${bank}:${pcr}`);
      compared++;
    }
  }
  return compared;
}

interface Expectation {
  readonly ok: boolean;
  readonly agile?: boolean;
  readonly events?: number;
  readonly startupLocality?: number;
  readonly tailBytes?: number;
  readonly banks?: readonly string[];
  readonly pcrs?: Pcrs;
}

const EXPECTED = existsSync(vectorPath('attestation', 'expected-pcrs.json'))
  ? (readJson('attestation', 'expected-pcrs.json') as Readonly<Record<string, Expectation>>)
  : {};

/** The expectation was made by a replay that knows no H-CRTM: its PCR 0 starts from 0. */
const HCRTM = 'tpm2-software__tpm2-tss/test/data/fapi/eventlog/binary_measurements_hcrtm.b64';
/** 64 octets that are no log; the first 32 of them happen to be an event of zeros. */
const NO_LOG = 'google__go-tdx-guest/testing/testdata/ccel/nonce.dat';

for (const [file, expected] of Object.entries(EXPECTED)) {
  // Some rows are files of other kinds that the expectation's author tried to read as logs.
  if (file.endsWith('.yaml') || file === NO_LOG) continue;
  test(
    `${file}: ${expected.ok ? 'replays to the expected PCRs' : 'is refused'}`,
    needsVectors('attestation', file),
    () => {
      const bytes = readVector('attestation', file);
      if (!expected.ok) {
        assert.match(
          codeOf(() => decodeTcgLog(bytes)),
          /^log_(empty|spec_id|malformed|limit)$/,
        );
        return;
      }
      const isPadded = (expected.tailBytes ?? 0) > 0;
      if (isPadded)
        assert.equal(
          codeOf(() => decodeTcgLog(bytes)),
          'log_padding',
        );
      const log = decodeTcgLog(bytes, isPadded ? { quirks: ['ccel_padding'] } : {});
      const replay = replayTcgLog(log);
      const isHcrtm = file === HCRTM;
      assert.equal(log.events.length, expected.events);
      assert.equal(log.format, expected.agile ? 'agile' : 'sha1');
      // The header may declare banks that no event has a digest of.
      for (const bank of expected.banks ?? []) assert.ok((log.banks as readonly string[]).includes(bank));
      assert.equal(replay.startupLocality, isHcrtm ? 4 : expected.startupLocality);
      const compared = assertPcrs(replay, expected.pcrs ?? {}, (pcr) => isHcrtm && pcr === 0);
      assert.ok(compared > 0 || log.events.length === 1);
      for (const event of log.events) decodeEventData(event);
      for (const bank of log.banks) checkEventData(log, bank);
    },
  );
}

test('A19: with an H-CRTM event PCR 0 starts from 4, as the machine that made the log had it', ATTESTATION, () => {
  const replay = replayTcgLog(decodeTcgLog(readVector('attestation', HCRTM)));
  // Read from that machine's TPM: tpm2-tss 4.1, test/unit/fapi-eventlog.c.
  assert.equal(pcrOf(replay, 'sha1', 0), '15f4e6ca457d1af6bc49511a93ba3500ad69acc5');
});

interface GoogleLog {
  readonly file: string;
  readonly banks: Pcrs;
  readonly efiAppDigests: Readonly<Record<string, readonly string[]>>;
}

test('Google’s PCRs and EFI applications of each of their logs that is here', ATTESTATION, () => {
  const { logs } = readJson('attestation', 'google-eventlog-pcrs.json') as {
    logs: Readonly<Record<string, GoogleLog>>;
  };
  let found = 0;
  for (const { file, banks, efiAppDigests } of Object.values(logs)) {
    const path = ['attestation', 'google__go-eventlog', 'testdata', 'eventlogs', 'tpm', basename(file)];
    if (!existsSync(vectorPath(...path))) continue;
    found++;
    const log = decodeTcgLog(readVector(...path));
    assertPcrs(replayTcgLog(log), banks);
    for (const [bank, digests] of Object.entries(efiAppDigests)) {
      assert.ok(isTpmHash(bank));
      const applications = log.events.filter(({ type }) => type === 'EV_EFI_BOOT_SERVICES_APPLICATION');
      assert.deepEqual(
        applications.map((event) => toHex(digestOf(event, bank) ?? new Uint8Array())),
        digests,
      );
    }
  }
  assert.equal(found, 10);
});

test('A13: TDX logs replay to the RTMRs; the one with a second separator is found out', ATTESTATION, () => {
  const rtmrs = readJson('attestation', 'EXPECTED', 'google-ccel-rtmrs.json') as Readonly<
    Record<string, Readonly<Record<string, string>>>
  >;
  const files = ['cos-113-intel-tdx.bin', 'cos-113-intel-tdx-dupe-separator.bin'];
  const repeated = files.map((file) => {
    const bytes = readVector('attestation', 'google__go-eventlog', 'testdata', 'eventlogs', 'ccel', file);
    const log = decodeTcgLog(bytes, { quirks: ['ccel_padding'] });
    const replay = replayTcgLog(log);
    // CCEL counts measurement registers from 1, RTMRs are counted from 0.
    for (const rtmr of [0, 1, 2]) assert.equal(pcrOf(replay, 'sha384', rtmr + 1), rtmrs[file]?.[`rtmr${rtmr}`]);
    return checkSeparators(log).filter(({ code }) => code === 'separator_repeated').length;
  });
  assert.deepEqual(repeated, [0, 1]);
});

test(
  'a known firmware leaves ExitBootServices out of the log: strict replay differs, the named quirk does not',
  ATTESTATION,
  () => {
    const log = decodeTcgLog(
      readVector('attestation', 'google__go-attestation', 'attest', 'testdata', 'ebs_event_missing_eventlog'),
    );
    const real = '31245808d6d35849bc394f6343f2b3ff908ed5e3';
    assert.notEqual(pcrOf(replayTcgLog(log), 'sha1', 5), real);
    assert.equal(pcrOf(replayTcgLog(log, { quirks: ['exit_boot_services_unlogged'] }), 'sha1', 5), real);
  },
);

test('go-attestation: the log of a Windows machine replays to the PCRs it was quoted with', ATTESTATION, () => {
  const dump = readJson(
    'attestation',
    'google__go-attestation',
    'attest',
    'testdata',
    'windows_gcp_shielded_vm.json',
  ) as {
    Log: { PCRs: { Index: number; Digest: string }[] };
  };
  const log = decodeTcgLog(readVector('attestation', 'EXPECTED', 'derived', 'go-attestation-windows', 'eventlog.bin'));
  const pcrs = dump.Log.PCRs.map(
    ({ Index, Digest }): PcrValue => ({
      bank: 'sha1',
      pcr: Index,
      value: Uint8Array.from(Buffer.from(Digest, 'base64')),
    }),
  );
  const replay = replayTcgLog(log);
  // Google's firmware of 2020 leaves four of its PCRs alone on Windows machines.
  assert.deepEqual(
    checkReplay(replay, quoted(pcrs))
      .map(({ code, severity, where }) => [code, severity, where.pcr])
      .sort(),
    [1, 2, 3, 6].map((pcr) => ['pcr_never_extended', 'warning', pcr]),
  );
  assert.deepEqual(
    [...(replay.banks.get('sha1')?.pcrs.keys() ?? [])].sort((a, b) => a - b),
    [0, 4, 5, 7, 11, 12, 13, 14],
  );
});

test('a SHA-1 log of a TPM 1.2 has its 40 events', ATTESTATION, () => {
  const log = decodeTcgLog(readVector('attestation', 'EXPECTED', 'derived', 'go-eventlog-linux-tpm12', 'eventlog.bin'));
  assert.deepEqual([log.format, log.events.length], ['sha1', 40]);
});

/** 'sha256:0:F2A5…' lines. */
function parsePcrLines(text: string): PcrValue[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [bank, pcr, value] = line.split(':');
      assert.ok(isTpmHash(bank) && value !== undefined);
      return { bank, pcr: Number(pcr), value: parseHex(value) };
    });
}

for (const name of ['det-a', 'full-ima']) {
  test(`boot vectors, ${name}: the log replays to what the TPM had`, needsVectors('boot'), () => {
    const pcrs = parsePcrLines(readFileSync(vectorPath('boot', 'evlog', `${name}.pcrs.txt`), 'utf8'));
    const log = decodeTcgLog(readVector('boot', 'evlog', `${name}.bin`));
    const replay = replayTcgLog(log);
    assert.deepEqual(checkReplay(replay, quoted(pcrs.filter(({ bank }) => replay.banks.has(bank)))), []);
    assert.deepEqual(checkSeparators(log), []);
    assert.deepEqual(checkEventData(log, 'sha256'), []);
    assert.deepEqual(replay.findings, []);
    const stub = log.events.filter(({ pcr, type }) => pcr === 11 && type === 'EV_IPL').map(decodeEventData);
    assert.ok(
      stub.some((data) => data.kind === 'text' && data.text.text === '.linux' && data.text.encoding === 'utf-16le'),
    );
    const tags = log.events.filter(({ pcr, type }) => pcr === 9 && type === 'EV_EVENT_TAG').map(decodeEventData);
    assert.deepEqual(
      tags.map((data) => (data.kind === 'tagged' ? [data.tag, data.text?.text] : data.kind)),
      [
        [0x8f3b22ed, 'LOADED_IMAGE::LoadOptions'],
        [0x8f3b22ec, 'Linux initrd'],
      ],
    );
  });
}

const BOOTS = existsSync(vectorPath('image', 'boot', 'EXPECTED.json'))
  ? (readJson('image', 'boot', 'EXPECTED.json') as Readonly<Record<string, { pcr: Readonly<Record<string, string>> }>>)
  : {};

for (const [name, { pcr: expected }] of Object.entries(BOOTS)) {
  test(
    `image boots, ${name}: the log replays to what the TPM had, in every bank`,
    needsVectors('image', 'boot'),
    () => {
      const log = decodeTcgLog(readVector('image', 'boot', name, 'binary_bios_measurements'));
      const replay = replayTcgLog(log);
      let compared = 0;
      for (const [key, value] of Object.entries(expected)) {
        const [bank = '', pcr = ''] = key.split(':');
        // PCR 10 is IMA's. A bank without a log cannot be compared.
        if (pcr === '10' || !isTpmHash(bank) || !replay.banks.has(bank)) continue;
        assert.equal(pcrOf(replay, bank, Number(pcr)), value, key);
        compared++;
      }
      assert.ok(compared >= 15);
      assert.deepEqual(checkSeparators(log), []);
      assert.deepEqual(checkEventData(log, 'sha256'), []);
    },
  );
}

test(
  'tpm2_eventlog 5.4 reads the same events: PCR, type and digests of each log that it was run on',
  ATTESTATION,
  () => {
    const folder = ['tpm2-software__tpm2-tools', 'test', 'integration', 'fixtures'];
    const names = [
      'arch-linux',
      'bootorder',
      'gce-ubuntu-2104-log',
      'moklisttrusted',
      'postcode',
      'sd-boot-fedora37',
      'uefi-sha1-log',
    ];
    for (const name of names) {
      const log = decodeTcgLog(readVector('attestation', ...folder, `event-${name}.bin`));
      const yaml = readFileSync(
        vectorPath('attestation', 'EXPECTED', 'tpm2_eventlog', `event-${name}.bin.yaml`),
        'utf8',
      );
      const [events = ''] = yaml.split(/^pcrs:/m);
      const listed = [...events.matchAll(/^ {2}PCRIndex: (\d+)\n {2}EventType: (\S+)/gm)];
      assert.deepEqual(
        log.events.map(({ pcr, type }) => [String(pcr), type]),
        listed.map(([, pcr, type]) => [pcr, type]),
        name,
      );
      const digests = [...events.matchAll(/^ +Digest: "([0-9a-f]+)"/gm)].map(([, digest]) => digest);
      assert.deepEqual(
        log.events.flatMap((event) => event.digests.map(({ digest }) => toHex(digest))),
        digests,
        name,
      );
    }
  },
);
