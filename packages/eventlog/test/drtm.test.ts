// SPDX-License-Identifier: Apache-2.0
// A44: dynamic launches, made up and real: the hash sequence of swtpm at locality 4.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import {
  type BootLog,
  decodeDrtmLog,
  decodeLog,
  decodeTcgLog,
  launchState,
  localityRule,
  mayExtend,
  type Replay,
  replayedPcr,
  replayLogs,
} from '@vouchsafe/eventlog';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { execute, readPcrs, TpmResponseError, type TpmTransport, tpm2PcrExtend, tpmDigest } from '@vouchsafe/tpm';
import { openSwtpm, openSwtpmControl } from '@vouchsafe/tpm/node';
import { container, LAUNCH, launchEvent } from './made-launch.ts';
import { agileLog, codeOf, type MadeEvent, SEPARATORS } from './support.ts';

const extended = (start: Uint8Array, ...texts: string[]): Uint8Array =>
  texts.reduce((value, text) => tpmDigest('sha256', concatBytes(value, tpmDigest('sha256', utf8(text)))), start);

function pcrOf(replay: Replay, pcr: number): Uint8Array {
  const bank = replay.banks.get('sha256');
  assert.ok(bank !== undefined);
  return replayedPcr(replay, bank, pcr);
}

test('a launch log is known by its content, starts PCR 17 to 22 from zeros, and its marks are not extended', () => {
  const bytes = agileLog(LAUNCH);
  const log = decodeLog(bytes);
  assert.ok(log.kind === 'drtm' && log.format === 'agile');
  assert.deepEqual(
    log.events.slice(1).map(({ type, source }) => [type, source]),
    [
      ['EVTYPE_PCRMAPPING', 'drtm'],
      ['EVTYPE_HASH_START', 'drtm'],
      ['TXT_EVTYPE_SLAUNCH_START', 'drtm'],
      ['TXT_EVTYPE_SLAUNCH', 'drtm'],
      ['TXT_EVTYPE_SLAUNCH', 'drtm'],
      ['TXT_EVTYPE_SLAUNCH_END', 'drtm'],
    ],
  );
  const replay = replayLogs([log]);
  assert.deepEqual([replay.findings, replay.hasLaunched], [[], true]);
  const zeros = new Uint8Array(32);
  assert.deepEqual(pcrOf(replay, 17), extended(zeros, 'the loader', 'command line'));
  assert.deepEqual(pcrOf(replay, 18), extended(zeros, 'boot parameters'));
  assert.deepEqual(pcrOf(replay, 19), zeros);
  // The kernel shows all of the area that the log lies in.
  assert.deepEqual(decodeLog(concatBytes(bytes, new Uint8Array(4096))), log);
});

test('A44: neither log speaks for the other', () => {
  const [launch, boot] = [decodeDrtmLog(agileLog(LAUNCH)), decodeTcgLog(agileLog(SEPARATORS))];
  const both = replayLogs([boot, launch]);
  assert.deepEqual(both.findings, []);
  const forged = replayLogs([decodeTcgLog(agileLog([...SEPARATORS, LAUNCH[1] as MadeEvent]))]);
  assert.deepEqual(
    forged.findings.map(({ code }) => code),
    ['event_pcr_drtm'],
  );
  assert.equal(forged.hasLaunched, false);
  assert.deepEqual(pcrOf(forged, 17), new Uint8Array(32).fill(0xff));
  const reach = replayLogs([decodeDrtmLog(agileLog([...LAUNCH, launchEvent(4, 'EVTYPE_MLE_HASH', 'x')]))]);
  assert.deepEqual(
    reach.findings.map(({ code }) => code),
    ['event_pcr_static'],
  );
});

test('A44: localities, and what PCR 17 itself says', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((locality) => mayExtend(17, locality)),
    [false, false, true, true, true],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((locality) => mayExtend(20, locality)),
    [false, true, true, true, false],
  );
  assert.ok([17, 18, 19, 20, 21, 22].every((pcr) => !mayExtend(pcr, 0)));
  assert.ok(mayExtend(11, 0));
  assert.equal(localityRule(16), undefined);
  const states = [0xff, 0, 1].map((octet) => launchState(new Uint8Array(32).fill(octet)));
  assert.deepEqual(states, ['none', 'reset', 'launched']);
});

test('the event container of TXT for TPM 1.2: its events, and offsets that contradict each other', () => {
  const events = [launchEvent(17, 'EVTYPE_HASH_START', 'sinit'), launchEvent(17, 'EVTYPE_MLE_HASH', 'mle')];
  const log = decodeLog(container(events));
  assert.ok(log.kind === 'drtm' && log.format === 'txt_container');
  assert.deepEqual(
    log.events.map(({ type, offset }) => [type, offset]),
    [
      ['EVTYPE_HASH_START', 48],
      ['EVTYPE_MLE_HASH', 48 + 32 + 5],
    ],
  );
  const bank = replayLogs([log]).banks.get('sha1');
  const one = (value: Uint8Array, text: string): Uint8Array =>
    tpmDigest('sha1', concatBytes(value, tpmDigest('sha1', utf8(text))));
  assert.deepEqual(bank?.pcrs.get(17), one(one(new Uint8Array(20), 'sinit'), 'mle'));
  for (const [at, value] of [
    [36, 0xffff_ffff],
    [40, 47],
    [40, 0xffff_ffff],
    [44, 47],
    [44, 0xffff_ffff],
    [44, 49],
  ] as const) {
    const changed = container(events, (view) => view.setUint32(at, value, true));
    assert.equal(
      codeOf(() => decodeDrtmLog(changed)),
      'log_malformed',
      `${at}: ${value}`,
    );
  }
  const whole = container(events);
  for (let size = 20; size < whole.length; size++) {
    assert.equal(
      codeOf(() => decodeDrtmLog(whole.subarray(0, size))),
      'log_malformed',
    );
  }
});

const SELECTION = [{ bank: 'sha256', pcrs: [17, 18, 19, 20, 21, 22] }] as const;

async function launchPcrs(tpm: TpmTransport): Promise<Map<number, Uint8Array>> {
  const { values } = await readPcrs(tpm, SELECTION);
  return new Map(values.map(({ pcr, value }) => [pcr, value]));
}

const isLocalityError = (error: unknown): boolean =>
  error instanceof TpmResponseError && error.returnCode.name === 'TPM_RC_LOCALITY';

const extend = (tpm: TpmTransport, pcr: number, text: string): Promise<unknown> => {
  const digests = [{ hashAlg: 'sha256', digest: tpmDigest('sha256', utf8(text)) }] as const;
  return execute(tpm, tpm2PcrExtend, { pcrHandle: pcr, digests: [...digests] });
};

test('A44: swtpm after a launch has what the replay of its log says', needsTool('swtpm'), async (t) => {
  const swtpm = await startSwtpm(t, tempDir(t));
  const tpm = await openSwtpm({ path: swtpm.path });
  const control = await openSwtpmControl({ path: swtpm.controlPath });
  try {
    const before = await launchPcrs(tpm);
    assert.equal(launchState(before.get(17) ?? new Uint8Array()), 'none');
    await control.hashSequence(utf8('the loader'));
    assert.equal(await control.isEstablished(), true);
    // Which localities may extend is as the rules say.
    for (const [pcr, locality] of [
      [17, 0],
      [18, 1],
      [19, 4],
      [20, 4],
      [21, 3],
      [22, 3],
    ] as const) {
      assert.equal(mayExtend(pcr, locality), false);
      await control.setLocality(locality);
      await assert.rejects(extend(tpm, pcr, 'refused'), isLocalityError, `PCR ${pcr} at locality ${locality}`);
    }
    await control.setLocality(2);
    await extend(tpm, 18, 'boot parameters');
    await extend(tpm, 17, 'command line');
    await control.setLocality(0);
    const after = await launchPcrs(tpm);
    const logs: readonly BootLog[] = [decodeTcgLog(agileLog(SEPARATORS)), decodeDrtmLog(agileLog(LAUNCH))];
    const replay = replayLogs(logs);
    for (const pcr of SELECTION[0].pcrs)
      assert.equal(toHex(pcrOf(replay, pcr)), toHex(after.get(pcr) ?? new Uint8Array()));
    assert.equal(launchState(after.get(17) ?? new Uint8Array()), 'launched');
  } finally {
    await control.close();
    await tpm.close();
  }
});
