// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import {
  type BootLog,
  comparePcrs,
  diffLogs,
  type EventChange,
  type Replay,
  replayedPcr,
  replayLogs,
} from '@vouchsafe/eventlog';
import { BANKS, type Bank, type Manifest } from '@vouchsafe/manifest';
import { formatBank, isTpmHash, type PcrValue, type SealedObject, sealPolicyDigest } from '@vouchsafe/tpm';
import { type ExplainedEvent, explainLog } from './explain-log.ts';

/** A PCR that has another value than a secret was sealed to. */
export interface ChangedPcr {
  readonly bank: PcrValue['bank'];
  readonly pcr: number;
  readonly sealedTo: Uint8Array;
  readonly now: Uint8Array;
}

/** What is known of the two boots. */
export interface ChangeEvidence {
  /** Of this boot. */
  readonly logs: readonly BootLog[];
  /** Of the boot in which the secret was sealed, or for which it was. */
  readonly sealedLogs?: readonly BootLog[];
  /** Images that should have booted. */
  readonly manifests?: readonly Manifest[];
}

/** Which events made the difference. Logs are anybody's word: worth something where they lead to the PCR's value. */
export interface PcrChange extends ChangedPcr {
  /** Whether the logs of this boot lead to the value as it is. */
  readonly isNowReplayed: boolean;
  /** Whether the logs of the sealing lead to the value as it was; undefined without them. */
  readonly isSealedReplayed: boolean | undefined;
  /** From the sealing to now. */
  readonly changes: readonly EventChange[];
  /** What the image does not put there, or should have. */
  readonly misfits: readonly ExplainedEvent[];
}

/**
 * Says of each PCR that keeps a secret shut which events are to blame.
 * @throws {AppraiseError} {ManifestError} as `explainLog`, where manifests are given
 */
export function explainPcrChanges(
  changed: readonly ChangedPcr[],
  { logs, sealedLogs, manifests = [] }: ChangeEvidence,
): PcrChange[] {
  const replay = replayLogs(logs);
  const sealedReplay = sealedLogs && replayLogs(sealedLogs);
  return changed.map((change) => {
    const { bank, pcr } = change;
    return {
      ...change,
      isNowReplayed: leadsTo(replay, logs, { bank, pcr, value: change.now }),
      isSealedReplayed:
        sealedReplay && sealedLogs && leadsTo(sealedReplay, sealedLogs, { bank, pcr, value: change.sealedTo }),
      changes: sealedLogs === undefined ? [] : changesOf(change, sealedLogs, logs),
      misfits: manifests.length === 0 ? [] : misfitsOf(change, logs, manifests),
    };
  });
}

function leadsTo(replay: Replay, logs: readonly BootLog[], value: PcrValue): boolean {
  return comparePcrs(replay, logs, [value])[0]?.result.startsWith('equal') ?? false;
}

/** Logs of one kind beside each other; a kind that only one boot has is left out. */
function changesOf({ bank, pcr }: ChangedPcr, before: readonly BootLog[], logs: readonly BootLog[]): EventChange[] {
  const register = `PCR ${pcr}`;
  return logs.flatMap((log) => {
    const other = before.find(({ kind }) => kind === log.kind);
    const diff = other && diffLogs(other, log, bank);
    return diff?.changes.filter((change) => change.register === register) ?? [];
  });
}

function misfitsOf(
  { bank, pcr }: ChangedPcr,
  logs: readonly BootLog[],
  manifests: readonly Manifest[],
): ExplainedEvent[] {
  const name = BANKS.find((one) => one === formatBank(bank));
  if (name === undefined || !manifests.some(({ banks }) => banks.includes(name))) return [];
  const events = logs.flatMap((log) => log.events);
  return explainLog(events, { manifests, bank: name satisfies Bank }).events.filter(
    (event) => event.pcr === pcr && (event.judgement === 'unexpected' || event.judgement === 'missing'),
  );
}

/**
 * The values that a secret was sealed to, where its file does not say them: those that these logs lead to, if its policy is
 * over them.
 * @param logs of the boot in which it was sealed.
 * @returns undefined when it was sealed to other values.
 */
export function sealedValuesIn(
  { area, policy }: SealedObject,
  logs: readonly BootLog[],
): readonly PcrValue[] | undefined {
  if (policy.pcrs === undefined) return undefined;
  const replay = replayLogs(logs);
  const values = policy.pcrs.flatMap(({ bank, pcrs }): PcrValue[] => {
    const replayed = replay.banks.get(bank);
    if (replayed === undefined || !isTpmHash(bank)) return [];
    return pcrs.map((pcr) => ({ bank, pcr, value: replayedPcr(replay, replayed, pcr) }));
  });
  const isWhole = values.every(({ value }) => value.length > 0);
  const count = policy.pcrs.reduce((sum, { pcrs }) => sum + pcrs.length, 0);
  if (!isWhole || values.length !== count) return undefined;
  return bytesEqual(sealPolicyDigest(policy, values), area.value.authPolicy) ? values : undefined;
}
