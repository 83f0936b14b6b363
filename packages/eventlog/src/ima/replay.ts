// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { isTpmHash, isTpmHashAvailable, type TpmHash, tpmDigest, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import { Registers } from '../replay/registers.ts';
import type { ImaEvent } from './list.ts';
import { hashedData } from './template-digest.ts';

/** IMA's PCR unless the kernel was built with another (CONFIG_IMA_MEASURE_PCR_IDX). */
export const IMA_PCR = 10;

/** How a kernel filled banks other than the template hash's. */
export type ImaPadding =
  /** Each bank with its own hash of the template data: Linux 5.8 and later. */
  | 'own_hash'
  /** Each bank with the SHA-1 template digest and zeros after it: before 5.8. */
  | 'sha1_padded';

export interface ImaReplayOptions {
  readonly bank: TpmHash;
  /** Entries for other PCRs are passed over. */
  readonly pcr?: number;
  readonly padding?: ImaPadding;
  /** Where an earlier replay ended; zeros unless given. */
  readonly start?: Uint8Array;
  /** What to call the list in findings. */
  readonly artefact?: string;
}

export interface ImaReplay {
  /** The PCR after the last entry. */
  readonly value: Uint8Array;
  /** Entries whose file was open for writing while it was measured. */
  readonly violations: readonly ImaEvent[];
  readonly findings: readonly LogFinding[];
}

/**
 * Replays IMA's list. The entry's own digest is used in its bank only where it is the hash of the data: the data is what
 * is believed later, so that it must be what was measured.
 * @throws {EventLogError} 'bank_unsupported' when this runtime does not have the bank's hash
 */
export function replayIma(events: readonly ImaEvent[], options: ImaReplayOptions): ImaReplay {
  return replayUntil(events, options, () => false);
}

/** Ends after the entry of which `isLast` says so. */
function replayUntil(
  events: readonly ImaEvent[],
  options: ImaReplayOptions,
  isLast: (event: ImaEvent, registers: Registers<number>) => boolean,
): ImaReplay {
  const violations: ImaEvent[] = [];
  const findings: LogFinding[] = [];
  const value = walk(events, options, (event, isTrue, registers) => {
    if (event.isViolation) violations.push(event);
    if (!isTrue) findings.push(templateFinding(event, options.artefact ?? 'IMA list'));
    return isLast(event, registers);
  });
  return { value, violations, findings };
}

/** How much of a list a quote covers. */
export interface ImaPrefix {
  readonly replay: ImaReplay;
  /** Entries of the list that the quoted value stands for. */
  readonly events: readonly ImaEvent[];
  /** Octets from the start of the list to where the entries that are not yet evidence begin. */
  readonly endOffset: number;
}

/**
 * The shortest prefix of a list that replays to a quoted value. The list grows between the quote and its reading; what
 * follows the prefix is not covered by the quote.
 * @returns undefined when no prefix does: the list is not that of the quoted boot, or was changed
 * @throws {EventLogError} 'bank_unsupported'
 */
export function findImaPrefix(
  events: readonly ImaEvent[],
  quoted: Uint8Array,
  options: ImaReplayOptions,
): ImaPrefix | undefined {
  const start = options.start ?? new Uint8Array(tpmHashSize(options.bank));
  let count = bytesEqual(start, quoted) ? 0 : undefined;
  const replay = replayUntil(count === 0 ? [] : events, options, (event, registers) => {
    if (!registers.holds(event.pcr, quoted)) return false;
    count = event.index - (events[0]?.index ?? 0) + 1;
    return true;
  });
  if (count === undefined) return undefined;
  const prefix = events.slice(0, count);
  return {
    replay,
    events: prefix,
    endOffset: prefix.at(-1)?.endOffset ?? events[0]?.offset ?? 0,
  };
}

/** Extends entry by entry; `visit` says whether to stop. */
function walk(
  events: readonly ImaEvent[],
  options: ImaReplayOptions,
  visit: (event: ImaEvent, isTrue: boolean, registers: Registers<number>) => boolean,
): Uint8Array {
  const { bank, pcr = IMA_PCR, padding = 'own_hash', start } = options;
  if (!isTpmHashAvailable(bank)) {
    throw new EventLogError('bank_unsupported', `expected a bank that this runtime can compute, found ${bank}`);
  }
  const registers = new Registers<number>(bank, () => start ?? new Uint8Array(tpmHashSize(bank)));
  const check = checker();
  for (const event of events) {
    if (event.pcr !== pcr) continue;
    const hashed = event.isViolation ? event.data : hashedData(event.type, event.data);
    const isTrue = event.isViolation || check(event, hashed);
    if (event.isViolation) registers.extendOnes(pcr);
    else if (padding === 'sha1_padded') registers.extend(pcr, tpmDigest('sha1', hashed));
    else registers.extendHashOf(pcr, hashed);
    if (visit(event, isTrue, registers)) break;
  }
  return registers.value(pcr);
}

/** Compares template digests with the data; all entries of a list have the same hash. */
function checker(): (event: ImaEvent, hashed: Uint8Array) => boolean {
  let hash: TpmHash | undefined;
  let isHashOf: (data: Uint8Array, digest: Uint8Array) => boolean = () => false;
  return ({ digests }, hashed) => {
    const [own] = digests;
    if (own === undefined || !isTpmHash(own.bank) || !isTpmHashAvailable(own.bank)) return false;
    if (own.bank !== hash) {
      hash = own.bank;
      const registers = new Registers<number>(hash, () => new Uint8Array());
      isHashOf = (data, digest) => registers.isHashOf(data, digest);
    }
    return isHashOf(hashed, own.digest);
  };
}

function templateFinding(event: ImaEvent, artefact: string): LogFinding {
  const [own] = event.digests;
  const where = { artefact, pcr: event.pcr, event: event.index, offset: event.offset };
  return logFinding('ima_template_hash', where, { actual: toHex(own?.digest ?? new Uint8Array()) });
}
