// SPDX-License-Identifier: Apache-2.0
// Logs that lead to a good quote whatever they say: an attacker on the machine extends what he likes, and so is believed to
// have extended it. What is behind the replay must bear any content.
import assert from 'node:assert/strict';
import { AppraiseError, parseBundle } from '@vouchsafe/appraise';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import {
  decodeImaBinaryLog,
  decodeTcgLog,
  decodeUserspaceLog,
  EventLogError,
  replayedPcr,
  replayIma,
  replayLogs,
} from '@vouchsafe/eventlog';
import type { FuzzTarget } from '@vouchsafe/testing';
import type { PcrValue } from '@vouchsafe/tpm';
import { buffer, FILES, listOf, USED, violation } from '../test/made-ima.ts';
import { baselineOf, GOOD, imageOf, verdictOn } from '../test/scene.ts';
import { event, expectationOf, hash, logOf, pcrsAfter, quoteOver, selectionOf } from '../test/support.ts';

const KINDS = ['firmware', 'userspace', 'ima', 'launch', 'bundle'] as const;
const REFERENCES = { images: [imageOf({ files: FILES, phases: ['enter-initrd'] })], baselines: [baselineOf()] };
const SELECTION = selectionOf(
  'sha256',
  Array.from({ length: 23 }, (_, pcr) => pcr),
);

const withKind = (kind: (typeof KINDS)[number], bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(KINDS.indexOf(kind)), bytes);

const RECORD = `\u001e${JSON.stringify({
  pcr: 11,
  digests: [{ hashAlg: 'sha256', digest: toHex(hash('sha256', utf8('enter-initrd'))) }],
  content_type: 'systemd',
  content: { eventType: 'phase', string: 'enter-initrd' },
})}\n`;

/** For logs that lead nowhere. */
const ANY: readonly PcrValue[] = [
  ...pcrsAfter(GOOD),
  ...Array.from({ length: 7 }, (_, i): PcrValue => ({ bank: 'sha256', pcr: 16 + i, value: new Uint8Array(32) })),
];

/** What a TPM holds that was extended as the logs say. */
function valuesOf(firmware: Uint8Array, userspace: Uint8Array | undefined, ima: Uint8Array): PcrValue[] {
  const logs = [decodeTcgLog(firmware), ...(userspace === undefined ? [] : [decodeUserspaceLog(userspace)])];
  const replay = replayLogs(logs, { banks: ['sha256'] });
  const bank = replay.banks.get('sha256');
  const list = replayIma(decodeImaBinaryLog(ima).events, { bank: 'sha256' }).value;
  return Array.from({ length: 23 }, (_, pcr): PcrValue => {
    const value = bank === undefined ? new Uint8Array(32) : replayedPcr(replay, bank, pcr);
    return { bank: 'sha256', pcr, value: pcr === 10 ? list : value.length === 32 ? value : new Uint8Array(32) };
  });
}

function appraised(kind: (typeof KINDS)[number], bytes: Uint8Array): void {
  const [firmware, ima] = [kind === 'firmware' ? bytes : logOf(GOOD), kind === 'ima' ? bytes : listOf(USED)];
  const userspace = kind === 'userspace' ? bytes : undefined;
  const values = readable(() => valuesOf(firmware, userspace, ima)) ?? ANY;
  const logs = {
    firmware: { sha256: '', bytes: firmware },
    ima: { offset: 0, bytes: ima },
    ...(userspace === undefined ? {} : { userspace }),
    ...(kind === 'launch' ? { launch: bytes } : {}),
  };
  const evidence = { quote: quoteOver(SELECTION, values), logs };
  const verdict = verdictOn({ references: REFERENCES, input: { evidence, expected: expectationOf(SELECTION) } });
  assert.deepEqual(JSON.parse(JSON.stringify(verdict.state)), verdict.state);
  assert.equal(verdict.isTrusted, verdict.decision.isPermitted && verdict.facts.findings.errors === 0);
}

/** Undefined for a log that is none: the verdict on it is asked for all the same. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EventLogError) return undefined;
    throw error;
  }
}

/** A verdict, whatever a log says; of a bundle an AppraiseError, or a bundle. */
export const target: FuzzTarget = {
  name: 'appraisal',
  seeds: () => [
    withKind('firmware', logOf(GOOD)),
    withKind('firmware', logOf([...GOOD, event(1, 'EV_EVENT_TAG', 'x'), event(15, 'EV_IPL', 'x')])),
    withKind('userspace', utf8(RECORD)),
    withKind(
      'ima',
      listOf([
        ...USED,
        violation('/x'),
        buffer('dm_table_load', 'dm_version=4.45.0;name=a;target_index=0,target_name=verity;'),
      ]),
    ),
    withKind('launch', logOf([event(17, 'EV_IPL', 'SINIT')])),
    withKind('bundle', utf8('{"format":{"name":"vouchsafe-evidence","major":1},"atMs":0}')),
  ],
  run(bytes) {
    const kind = KINDS[(bytes[0] ?? 0) % KINDS.length] ?? 'firmware';
    const content = bytes.subarray(1);
    if (kind !== 'bundle') {
      appraised(kind, content);
      return;
    }
    try {
      parseBundle(content);
    } catch (error) {
      if (!(error instanceof AppraiseError)) throw error;
    }
  },
};
