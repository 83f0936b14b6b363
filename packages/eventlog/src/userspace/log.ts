// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import type { TpmBank } from '@vouchsafe/tpm';
import { EventLogError, rethrowInEvent } from '../error.ts';
import type { BootEvent, EventDigest, NvEvent } from '../event.ts';
import { type LogLimits, USERSPACE_LIMITS } from '../limits.ts';
import type { UserspaceContent } from './content.ts';
import { isObject, jsonDigests, systemdContent, systemdData, unsignedField } from './json-record.ts';

interface UserspaceFields {
  readonly source: 'userspace';
  readonly content: UserspaceContent;
}

/** A record of systemd's log: of a PCR, or of an NvPCR. */
export type UserspaceEvent = (BootEvent & UserspaceFields) | (NvEvent & UserspaceFields);

/** What systemd measured after the kernel had started, in order. */
export interface UserspaceLog {
  readonly kind: 'userspace';
  readonly events: readonly UserspaceEvent[];
  /** Banks that any record has a digest of. */
  readonly banks: readonly TpmBank[];
}

export interface UserspaceLogOptions {
  readonly limits?: LogLimits;
}

/** RFC 7464, section 2.2: each text is between RS and LF. */
const RS = 0x1e;
const LF = 0x0a;

const MAX_PCR = 0xffff_ffff;
const MAX_RTMR = 3;

/**
 * systemd's /run/log/systemd/tpm2-measure.log: records of the TCG Canonical Event Log in JSON, without recnum, each between
 * RS and LF (RFC 7464). Its JSON is compact, one record a line.
 *
 * An empty log is no error: userspace has measured nothing. A record that was cut off is one, as the log then does not say
 * what a PCR holds.
 * @throws {EventLogError} 'log_malformed', 'log_limit'
 */
export function decodeUserspaceLog(bytes: Uint8Array, options: UserspaceLogOptions = {}): UserspaceLog {
  const { limits = USERSPACE_LIMITS } = options;
  const events: UserspaceEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const index = events.length;
    const place = { event: index, offset: at };
    if (index >= limits.maxEvents) {
      throw new EventLogError('log_limit', `expected at most ${limits.maxEvents} records, found more`, place);
    }
    if (bytes[at] !== RS) throw new EventLogError('log_malformed', 'expected RS (0x1e) in front of a record', place);
    const next = bytes.indexOf(RS, at + 1);
    const end = next < 0 ? bytes.length : next;
    if (end - at > limits.maxEventBytes) {
      throw new EventLogError('log_limit', `expected a record of at most ${limits.maxEventBytes} octets`, place);
    }
    if (bytes[end - 1] !== LF)
      throw new EventLogError('log_malformed', 'expected LF behind a record: it was cut off', place);
    try {
      events.push(systemdEvent(parseRecord(bytes.subarray(at + 1, end)), index, at));
    } catch (error) {
      rethrowInEvent(index, 'record', error);
    }
    at = end;
  }
  return { kind: 'userspace', events, banks: banksIn(events) };
}

/** Banks that any of the events has a digest of, in the order in which they come. */
export function banksIn(events: readonly { readonly digests: readonly EventDigest[] }[]): TpmBank[] {
  return [...new Set(events.flatMap(({ digests }) => digests.map(({ bank }) => bank)))];
}

function parseRecord(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(parseUtf8(bytes)) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TextError) throw new CodecError('invalid', 0, error.message);
    throw error;
  }
}

/**
 * One record of systemd, wherever it was found.
 * @throws {CodecError}
 */
function systemdEvent(record: unknown, index: number, offset: number): UserspaceEvent {
  if (!isObject(record)) throw new CodecError('invalid', 0, 'expected an object');
  const content = systemdContent(isObject(record.content) ? record.content : {});
  const fields = {
    source: 'userspace',
    index,
    offset,
    type: content.eventType ?? 'unknown',
    digests: jsonDigests(record.digests),
    data: systemdData(content),
    content,
  } as const;
  if (record.pcr !== undefined) return { ...fields, pcr: unsignedField(record.pcr, 'pcr', MAX_PCR) };
  // In a TDX guest systemd extends RTMR 2, say; in logs of CCEL these registers are counted from 1.
  if (record.rtmr !== undefined) return { ...fields, pcr: 1 + unsignedField(record.rtmr, 'rtmr', MAX_RTMR) };
  const nvIndex = record.nv_index === undefined ? undefined : unsignedField(record.nv_index, 'nv_index', MAX_PCR);
  if (nvIndex === undefined && content.nvIndexName === undefined) {
    throw new CodecError('invalid', 0, 'expected pcr, nv_index or the name of an NvPCR');
  }
  return {
    ...fields,
    ...(nvIndex === undefined ? {} : { nvIndex }),
    ...(content.nvIndexName === undefined ? {} : { nvName: content.nvIndexName }),
  };
}
