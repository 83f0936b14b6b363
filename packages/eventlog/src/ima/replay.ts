// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { digest as computeDigest, type DigestAlgorithm } from '@vouchsafe/crypto';
import { digestAlgorithmOf, isTpmHashAvailable, type TpmHash, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';
import { digestOf } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { ImaEvent } from './list.ts';

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
  const violations: ImaEvent[] = [];
  const findings: LogFinding[] = [];
  const value = walk(events, options, (event, isTrue) => {
    if (event.isViolation) violations.push(event);
    if (!isTrue) findings.push(templateFinding(event, options.artefact ?? 'IMA list'));
    return false;
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
  if (count === undefined) {
    walk(events, options, (event, _isTrue, value) => {
      if (!bytesEqual(value, quoted)) return false;
      count = event.index - (events[0]?.index ?? 0) + 1;
      return true;
    });
  }
  if (count === undefined) return undefined;
  const prefix = events.slice(0, count);
  return {
    replay: replayIma(prefix, options),
    events: prefix,
    endOffset: prefix.at(-1)?.endOffset ?? events[0]?.offset ?? 0,
  };
}

/** Extends entry by entry; `visit` says whether to stop. */
function walk(
  events: readonly ImaEvent[],
  options: ImaReplayOptions,
  visit: (event: ImaEvent, isTrue: boolean, value: Uint8Array) => boolean,
): Uint8Array {
  const { bank, pcr = IMA_PCR, padding = 'own_hash', start } = options;
  if (!isTpmHashAvailable(bank)) {
    throw new EventLogError('bank_unsupported', `expected a bank that this runtime can compute, found ${bank}`);
  }
  const algorithm = digestAlgorithmOf(bank);
  const size = tpmHashSize(bank);
  const input = new Uint8Array(2 * size);
  let value = start ?? new Uint8Array(size);
  for (const event of events) {
    if (event.pcr !== pcr) continue;
    const templateHash = event.digests[0]?.bank as TpmHash;
    const own = digestOf(event, templateHash) as Uint8Array;
    const computed = event.isViolation ? undefined : templateDigest(event, digestAlgorithmOf(templateHash));
    const isTrue = computed === undefined || bytesEqual(computed, own);
    input.set(value, 0);
    if (event.isViolation) input.fill(0xff, size);
    else if (bank === templateHash) input.set(computed as Uint8Array, size);
    else if (padding === 'sha1_padded') input.fill(0, size).set((computed as Uint8Array).subarray(0, size), size);
    else input.set(templateDigest(event, algorithm), size);
    value = computeDigest(algorithm, input);
    if (visit(event, isTrue, value)) break;
  }
  return value;
}

/** Octets that the name takes in the hash of template 'ima': IMA_EVENT_NAME_LEN_MAX and a NUL. */
const HASHED_NAME_BYTES = 256;

/**
 * The hash of an entry's data. Linux, ima_crypto.c, ima_calc_field_array_hash_tfm: the data as it is, lengths included;
 * of template 'ima', the digest and the name filled up with zeros, without its length.
 */
function templateDigest(event: ImaEvent, algorithm: DigestAlgorithm): Uint8Array {
  if (event.type !== 'ima') return computeDigest(algorithm, event.data);
  const hashed = new Uint8Array(20 + HASHED_NAME_BYTES);
  hashed.set(event.data.subarray(0, 20), 0);
  hashed.set(event.data.subarray(24), 20);
  return computeDigest(algorithm, hashed);
}

function templateFinding(event: ImaEvent, artefact: string): LogFinding {
  const [own] = event.digests;
  const where = { artefact, pcr: event.pcr, event: event.index, offset: event.offset };
  return logFinding('ima_template_hash', where, { actual: toHex(own?.digest ?? new Uint8Array()) });
}
