// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { isTpmHash, type PcrValue } from '@vouchsafe/tpm';
import { findImaPrefix } from '../ima/replay.ts';
import type { BootLog } from '../log.ts';
import { type Replay, replayedPcr } from './replay.ts';

/** One given PCR beside what the logs lead to. */
export interface PcrComparison extends PcrValue {
  readonly result:
    | 'equal'
    /** Of IMA's list, the first entries lead to the value: the list has grown since. */
    | 'equal_to_part'
    | 'different'
    /** No log extends it, and it was extended. */
    | 'unexplained'
    /** The logs do not have the bank, or not for all events of this PCR. */
    | 'not_in_bank';
  /** By the logs; absent where they say nothing. */
  readonly replayed?: Uint8Array;
  /** With 'equal_to_part': the entries that the value stands for, and all there are. */
  readonly entries?: { readonly covered: number; readonly all: number };
}

/**
 * Compares PCR values with a replay, each of them, in the order given. Where they are from decides what that is worth: only
 * of a quote's is it known that they are a TPM's.
 * @param logs those that were replayed
 */
export function comparePcrs(replay: Replay, logs: readonly BootLog[], given: readonly PcrValue[]): PcrComparison[] {
  return given.map((value) => compare(replay, logs, value));
}

function compare(replay: Replay, logs: readonly BootLog[], given: PcrValue): PcrComparison {
  const { bank, pcr, value } = given;
  const replayed = replay.banks.get(bank);
  if (replayed === undefined || replayed.unknown.has(pcr)) return { ...given, result: 'not_in_bank' };
  const expected = replayedPcr(replay, replayed, pcr);
  if (bytesEqual(expected, value)) return { ...given, result: 'equal', replayed: expected };
  if (!replayed.pcrs.has(pcr)) return { ...given, result: 'unexplained', replayed: expected };
  return imaPart(logs, given) ?? { ...given, result: 'different', replayed: expected };
}

/** Where IMA's list alone extends the PCR, the value may be from before its last entries. */
function imaPart(logs: readonly BootLog[], given: PcrValue): PcrComparison | undefined {
  const { bank, pcr, value } = given;
  const writers = logs.filter(({ events }) => events.some((event) => event.pcr === pcr));
  const [log] = writers;
  if (writers.length !== 1 || log?.kind !== 'ima' || !isTpmHash(bank)) return undefined;
  const prefix = findImaPrefix(log.events, value, { bank, pcr });
  if (prefix === undefined) return undefined;
  const entries = { covered: prefix.events.length, all: log.events.length };
  return { ...given, result: 'equal_to_part', entries, replayed: value };
}
