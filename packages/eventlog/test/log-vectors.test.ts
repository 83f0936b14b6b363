// SPDX-License-Identifier: Apache-2.0
// Known answers of the logs in the shared vectors that are no firmware logs, and of firmware logs in other encodings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import {
  type BootLog,
  comparePcrs,
  decodeImaEntry,
  decodeLog,
  decodeTcgLog,
  describeLog,
  diffLogs,
  digestOf,
  type ImaEvent,
  parsePcrList,
  replayedPcr,
  replayIma,
  replayLogs,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { codeOf, readVector } from './support.ts';

const ATTESTATION = needsVectors('attestation');
const LINES = ['attestation', 'EXPECTED', 'derived'];

function imaEvents(bytes: Uint8Array): readonly ImaEvent[] {
  const log = decodeLog(bytes);
  assert.ok(log.kind === 'ima' && log.format === 'ascii');
  return log.events;
}

const mismatched = (events: readonly ImaEvent[]): (number | undefined)[] =>
  replayIma(events, { bank: 'sha256' }).findings.map(({ where }) => where.event);

test('keylime, ima_dm: template hashes recompute, and every device-mapper record parses', ATTESTATION, () => {
  const events = imaEvents(readVector(...LINES, 'keylime-test_ima_dm-lines.txt'));
  assert.deepEqual(mismatched(events), []);
  const records = events.map((event) => {
    const entry = decodeImaEntry(event);
    assert.ok(entry.kind === 'buffer' && entry.deviceMapper !== undefined);
    return entry.deviceMapper;
  });
  assert.equal(records.length, 15);
  const [verity] = records;
  assert.deepEqual(
    [verity?.event, verity?.version, verity?.device.name, verity?.targets[0]?.name],
    ['dm_table_load', '4.45.0', 'test', 'verity'],
  );
  assert.match(verity?.targets[0]?.fields.root_digest ?? '', /^[0-9a-f]{64}$/);
  const kinds = new Set(records.map(({ event }) => event));
  assert.deepEqual([...kinds].sort(), [
    'dm_device_remove',
    'dm_device_rename',
    'dm_device_resume',
    'dm_table_clear',
    'dm_table_load',
    'dm_target_update',
  ]);
  // The kernel forgets to take back a length there, and writes NULs.
  const cleared = records.find(({ event }) => event === 'dm_table_clear');
  assert.equal(cleared?.device.current_device_capacity, '204808');
  const removed = records.find(({ event }) => event === 'dm_device_remove');
  assert.equal(removed?.device.name, 'test');
});

test('keylime, ima_verification and ima_ast: the lines that were changed are found out', ATTESTATION, () => {
  const events = imaEvents(readVector(...LINES, 'keylime-test_ima_verification-lines.txt'));
  assert.deepEqual([events.length, mismatched(events)], [7, [5]]);
  const signed = events.map(decodeImaEntry).flatMap((entry) => (entry.kind === 'file' ? [entry.file.signature] : []));
  assert.deepEqual(
    signed.map((signature) => signature?.length),
    [undefined, undefined, undefined, 265, 81, 81],
  );
  const lines = readVector(...LINES, 'keylime-test_ima_ast-lines.txt');
  // Its last line has a letter in a digest.
  assert.equal(
    codeOf(() => decodeLog(lines)),
    'log_malformed',
  );
  const whole = lines.subarray(0, lines.lastIndexOf(0x0a, lines.length - 2) + 1);
  assert.deepEqual([imaEvents(whole).length, mismatched(imaEvents(whole))], [6, []]);
});

const KEYLIME = ['attestation', 'keylime__keylime', 'test', 'data', 'create-runtime-policy'];

for (const [hash, violations] of [
  ['sha1', 1],
  ['sha256', 0],
  ['sha384', 1],
  ['sha512', 1],
] as const) {
  test(`keylime, ima-log-${hash}: two entries, hashed as they say`, ATTESTATION, () => {
    const events = imaEvents(readVector(...KEYLIME, `ima-log-${hash}`));
    const replay = replayIma(events, { bank: 'sha256' });
    assert.deepEqual([events.length, replay.findings.length, replay.violations.length], [2, 0, violations]);
  });
}

test(
  'rust-keylime: a list of 826 entries recomputes; an empty file and one that is no list are refused',
  ATTESTATION,
  () => {
    const folder = ['attestation', 'keylime__rust-keylime'];
    const events = imaEvents(readVector(...folder, 'keylime-agent', 'test-data', 'ima', 'ascii_runtime_measurements'));
    assert.deepEqual([events.length, mismatched(events)], [826, []]);
    for (const [name, code] of [
      ['empty_ima_log.txt', 'log_empty'],
      ['invalid_ima_log.txt', 'log_unknown'],
    ] as const) {
      const bytes = readVector(...folder, 'keylime', 'test-data', name);
      assert.equal(
        codeOf(() => decodeLog(bytes)),
        code,
      );
    }
  },
);

for (const name of ['det-a', 'full-ima']) {
  test(`boot vectors, ${name}: the ascii list gives the binary list's data and PCR 10`, needsVectors('boot'), () => {
    const binary = decodeLog(readVector('boot', 'ima', `${name}.ima_binary`));
    const text = decodeLog(readVector('boot', 'ima', `${name}.ima_ascii`));
    assert.ok(binary.kind === 'ima' && text.kind === 'ima');
    assert.deepEqual([binary.format, text.format], ['binary', 'ascii']);
    const essence = ({ events }: BootLog): unknown =>
      events.map(({ pcr, type, digests, data }) => [pcr, type, digests, data]);
    assert.deepEqual(essence(text), essence(binary));
    const pcrs = parsePcrList(readVector('boot', 'evlog', `${name}.pcrs.txt`));
    const logs = [decodeLog(readVector('boot', 'evlog', `${name}.bin`)), text];
    const compared = comparePcrs(replayLogs(logs), logs, pcrs);
    assert.ok(compared.length >= 24);
    // Of PCR 10 the list in the text was read earlier than the PCRs.
    const unequal = compared.filter(({ result, bank }) => result !== 'equal' && bank === 'sha256');
    assert.deepEqual(
      unequal.map(({ pcr }) => pcr).filter((pcr) => pcr !== 10),
      [],
    );
  });
}

for (const name of ['direct-stub252', 'sdboot252-stub252', 'secureboot-257']) {
  test(
    `systemd-pcrlock cel, ${name}: the same events and PCRs as the firmware's own log`,
    needsVectors('image'),
    () => {
      const cel = decodeLog(readVector('image', 'pcrlock', `cel.${name}.json`));
      const log = decodeTcgLog(readVector('image', 'boot', name, 'binary_bios_measurements'));
      assert.ok(cel.kind === 'cel' && cel.format === 'json');
      const essence = ({ events }: BootLog): unknown =>
        events
          .filter(({ type }) => type !== 'EV_NO_ACTION')
          .map((event) => [
            event.pcr,
            event.type,
            toHex(digestOf(event, 'sha256') ?? new Uint8Array()),
            toHex(event.data),
          ]);
      assert.deepEqual(essence(cel), essence(log));
      const [fromCel, fromLog] = [replayLogs([cel]), replayTcgLog(log)];
      for (const [bank, { pcrs }] of fromLog.banks) {
        const replayed = fromCel.banks.get(bank);
        assert.ok(replayed !== undefined);
        for (const [pcr, value] of pcrs) assert.deepEqual(replayedPcr(fromCel, replayed, pcr), value);
      }
      // The stages are told from the events alone.
      const stages = (l: BootLog): string[] =>
        describeLog(l)
          .filter(({ event }) => event.type !== 'EV_NO_ACTION')
          .map(({ stage }) => stage);
      assert.deepEqual(stages(cel), stages(log));
    },
  );
}

test(
  'boots: the firmware starts the UKI, the stub measures its sections, then the kernel measures',
  needsVectors('image'),
  () => {
    const described = describeLog(
      decodeLog(readVector('image', 'boot', 'sdboot252-stub252', 'binary_bios_measurements')),
    );
    const stageOf = (index: number): string | undefined => described[index]?.stage;
    // The boot loader, the UKI, the command line, a section, the inner kernel, the kernel's own events.
    assert.deepEqual([23, 24, 25, 26, 39, 40, 43].map(stageOf), [
      'firmware',
      'loader',
      'stub',
      'stub',
      'stub',
      'kernel',
      'kernel',
    ]);
    const trusts = [26, 27, 23, 10, 0, 42].map((index) => described[index]?.trust);
    assert.deepEqual(trusts, ['measured', 'claimed', 'claimed', 'partly', 'unmeasured', 'measured']);
    const path = described[23]?.content;
    assert.ok(path?.kind === 'imageLoad');
    assert.equal(
      path.path,
      'PciRoot(0x0)/Pci(0x1,0x0)/HD(1,GPT,aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee,0x800,0x2d000)/\\EFI\\BOOT\\BOOTX64.EFI',
    );
  },
);

test('diff of two boots: what came, what changed, and how much stayed', needsVectors('image'), () => {
  const [a, b] = ['direct-stub252', 'sdboot252-stub252'].map((name) =>
    decodeLog(readVector('image', 'boot', name, 'binary_bios_measurements')),
  ) as [BootLog, BootLog];
  const diff = diffLogs(a, b);
  assert.deepEqual(
    diff?.changes.map(({ kind, register }) => `${kind} ${register}`),
    ['added PCR 4', 'changed PCR 9', 'added PCR 12', 'added PCR 12', 'added PCR 12', 'added PCR 13'],
  );
  assert.equal(diff?.unchanged, 37);
  assert.deepEqual(diffLogs(b, b)?.changes, []);
  const back = diffLogs(b, a);
  assert.equal(back?.changes.filter(({ kind }) => kind === 'removed').length, 5);
});

test('every file of the vectors is a log or a coded error', ATTESTATION, () => {
  const manifest = readFileSync(vectorPath('attestation', 'MANIFEST.tsv'), 'utf8').trim().split('\n').slice(1);
  let logs = 0;
  for (const line of manifest) {
    const [path = ''] = line.split('\t');
    const bytes = readVector('attestation', path);
    if (bytes.length > 1024 * 1024) continue;
    try {
      const log = decodeLog(bytes, { quirks: ['ccel_padding'] });
      describeLog(log);
      replayLogs([log]);
      logs++;
    } catch (error) {
      assert.match(
        codeOf(() => {
          throw error;
        }),
        /^log_/,
        path,
      );
    }
  }
  assert.ok(logs > 60, `${logs} logs`);
});
