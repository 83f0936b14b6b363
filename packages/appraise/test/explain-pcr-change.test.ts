// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChangedPcr, explainPcrChanges, sealedValuesIn } from '@vouchsafe/appraise';
import { decodeLog } from '@vouchsafe/eventlog';
import {
  type PcrValue,
  publicArea,
  type SealedObject,
  SRK_PARENT,
  sealedTemplate,
  sealPolicyDigest,
} from '@vouchsafe/tpm';
import { BOOT, event, logOf, type MadeEvent, pcrsAfter } from './support.ts';

const changedIn = (before: readonly MadeEvent[], now: readonly MadeEvent[], pcr: number): ChangedPcr => {
  const valueAfter = (events: readonly MadeEvent[]) => (pcrsAfter(events)[pcr] as PcrValue).value;
  return { bank: 'sha256', pcr, sealedTo: valueAfter(before), now: valueAfter(now) };
};
const logs = (events: readonly MadeEvent[]) => [decodeLog(logOf(events))];
const OTHER = BOOT.map((made) => (made.pcr === 11 ? { ...made, data: Uint8Array.of(1, ...made.data) } : made));

test('the events of a PCR that changed, and of no other; a log that leads elsewhere is told', () => {
  const changed = changedIn(BOOT, OTHER, 11);
  const [change] = explainPcrChanges([changed], { logs: logs(OTHER), sealedLogs: logs(BOOT) });
  assert.deepEqual([change?.isNowReplayed, change?.isSealedReplayed], [true, true]);
  assert.deepEqual(new Set(change?.changes.map(({ register }) => register)), new Set(['PCR 11']));
  const [lied] = explainPcrChanges([changed], { logs: logs(BOOT), sealedLogs: logs(OTHER) });
  assert.deepEqual([lied?.isNowReplayed, lied?.isSealedReplayed], [false, false]);
  const [alone] = explainPcrChanges([changed], { logs: logs(OTHER) });
  assert.deepEqual([alone?.isSealedReplayed, alone?.changes, alone?.misfits], [undefined, [], []]);
});

test('what a secret was sealed to, by the log of then; nothing where its policy is over other values', () => {
  const policy = { hash: 'sha256', pcrs: [{ bank: 'sha256', pcrs: [4, 11, 14] }], withPin: true } as const;
  const values = pcrsAfter(BOOT).filter(({ pcr }) => [4, 11, 14].includes(pcr));
  const area = publicArea(sealedTemplate({ authPolicy: sealPolicyDigest(policy, values) }).value);
  const sealed: SealedObject = { area, private: new Uint8Array(), parent: SRK_PARENT, policy };
  assert.deepEqual(sealedValuesIn(sealed, logs(BOOT)), values);
  assert.equal(sealedValuesIn(sealed, logs(OTHER)), undefined);
  assert.equal(sealedValuesIn(sealed, logs([...BOOT, event(4, 'EV_EFI_ACTION', 'one more')])), undefined);
  const { pcrs: _, ...open } = policy;
  assert.equal(sealedValuesIn({ ...sealed, policy: open }, logs(BOOT)), undefined);
});
