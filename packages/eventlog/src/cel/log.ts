// SPDX-License-Identifier: Apache-2.0
import { CodecError, Reader } from '@vouchsafe/codec';
import type { TpmBank } from '@vouchsafe/tpm';
import { EventLogError, rethrowInEvent } from '../error.ts';
import type { LogEvent } from '../event.ts';
import { CEL_LIMITS, type LogLimits } from '../limits.ts';
import { banksIn } from '../userspace/log.ts';
import { readCelCborRecord } from './cbor.ts';
import { CborReader } from './cbor-reader.ts';
import { celRecordOfJson, parseCelJson } from './json.ts';
import { type CelRecord, eventOfRecord } from './record.ts';
import { CEL_TLV_FIELD, CEL_TLV_REGISTERS, readCelTlvRecord } from './tlv.ts';

export type CelEncoding = 'json' | 'cbor' | 'tlv';

/** A TCG Canonical Event Log: records of firmware, IMA, systemd and others in one list. */
export interface CelLog {
  readonly kind: 'cel';
  readonly format: CelEncoding;
  /** Banks that any record has a digest of. */
  readonly banks: readonly TpmBank[];
  readonly events: readonly LogEvent[];
  /** Its registers are not a TPM's but those of a confidential machine, counted as in its CCEL: 1 is RTMR 0. */
  readonly isConfidential: boolean;
}

export interface CelLogOptions {
  readonly limits?: LogLimits;
}

/** Octets of a log in JSON at most: all of it is a tree of objects at once. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/**
 * A log in one of the encodings of TCG Canonical Event Log Format 1.1, section 5. Which events were extended with what is
 * as in the other logs: a record is an event of its own log, by its content type.
 * @throws {EventLogError} 'log_empty', 'log_malformed', 'log_limit'
 */
export function decodeCelLog(bytes: Uint8Array, format: CelEncoding, options: CelLogOptions = {}): CelLog {
  const { limits = CEL_LIMITS } = options;
  if (bytes.length === 0) throw new EventLogError('log_empty', 'expected a log, found no bytes');
  const isConfidential = format === 'tlv' && registerTypeOf(bytes) === CEL_TLV_FIELD.confidentialRegister;
  const events =
    format === 'tlv'
      ? tlvEvents(bytes, limits, isConfidential)
      : { json: jsonEvents, cbor: cborEvents }[format](bytes, limits);
  return { kind: 'cel', format, banks: banksIn(events), events, isConfidential };
}

function jsonEvents(bytes: Uint8Array, limits: LogLimits): LogEvent[] {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new EventLogError('log_limit', `expected at most ${MAX_JSON_BYTES} octets of JSON, found ${bytes.length}`);
  }
  const records = attempt(0, () => parseCelJson(bytes));
  if (records.length > limits.maxEvents) throw tooMany(limits, 0);
  return records.map((record, i) => attempt(i, () => eventOfRecord(celRecordOfJson(record, i), i, 0)));
}

/** An array of records, or one after the other (RFC 8742): a file that is appended to. */
function cborEvents(bytes: Uint8Array, limits: LogLimits): LogEvent[] {
  const r = new CborReader(bytes);
  const isArray = attempt(0, () => r.peek()) === 4;
  const count = isArray ? attempt(0, () => r.array(limits.maxEvents)) : undefined;
  const events = walk(r, limits, () => readCelCborRecord(r, limits.maxEventBytes), count);
  if (count !== undefined) attempt(count, () => r.finish());
  return events;
}

/** A log is of a TPM or of a confidential machine: were they mixed, one register's events would count for the other's. */
function tlvEvents(bytes: Uint8Array, limits: LogLimits, isConfidential: boolean): LogEvent[] {
  const r = new Reader(bytes);
  return walk(r, limits, () => {
    const offset = r.pos;
    const record = readCelTlvRecord(r, limits.maxEventBytes);
    if ((record.isConfidential ?? false) === isConfidential) return record;
    throw new CodecError(
      'mismatch',
      offset,
      'expected registers of one kind, found those of a TPM and of a confidential machine',
    );
  });
}

function walk(r: Reader, limits: LogLimits, read: () => CelRecord, count?: number): LogEvent[] {
  const events: LogEvent[] = [];
  while (count === undefined ? r.pos < r.end : events.length < count) {
    const [index, offset] = [events.length, r.pos];
    if (index >= limits.maxEvents) throw tooMany(limits, offset);
    events.push(eventOfRecord(attempt(index, read), index, offset));
  }
  return events;
}

function tooMany({ maxEvents }: LogLimits, offset: number): EventLogError {
  return new EventLogError('log_limit', `expected at most ${maxEvents} records, found more`, { offset });
}

function attempt<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return rethrowInEvent(index, 'record', error);
  }
}

/** Which encoding a log has, by its first octets; undefined where it is none of them. */
export function celEncodingOf(bytes: Uint8Array): CelEncoding | undefined {
  const first = bytes.find((octet) => octet !== 0x20 && octet !== 0x0a && octet !== 0x09 && octet !== 0x0d);
  if (first === 0x5b || first === 0x7b) return 'json';
  if (isCelTlv(bytes)) return 'tlv';
  const isMap = (head: number | undefined): boolean => head === 0xa5;
  const isArray = (head: number | undefined): boolean => head !== undefined && head >>> 5 === 4;
  if (isMap(bytes[0])) return 'cbor';
  return isArray(bytes[0]) && bytes.subarray(1, 10).some(isMap) ? 'cbor' : undefined;
}

/**
 * Whether these are records in TLV: recnum (type 0) of at most 8 octets, then a register of at most 4, then digests. A
 * firmware log can begin with the same eight octets, and has a digest behind them.
 */
export function isCelTlv(bytes: Uint8Array): boolean {
  return registerTypeOf(bytes) !== undefined;
}

/** What the first record of a log in TLV is of; undefined for what is none. */
function registerTypeOf(bytes: Uint8Array): number | undefined {
  const second = tlvEnd(bytes, 0, [CEL_TLV_FIELD.recnum], 8);
  const third = second === undefined ? undefined : tlvEnd(bytes, second, CEL_TLV_REGISTERS, 4);
  return third !== undefined && bytes[third] === CEL_TLV_FIELD.digests ? bytes[second as number] : undefined;
}

/** Where the TLV at an offset ends; undefined where there is none of these types and at most that long. */
function tlvEnd(bytes: Uint8Array, at: number, types: readonly number[], maxBytes: number): number | undefined {
  const [type, high, third, second, length = 0] = bytes.subarray(at, at + 5);
  if (type === undefined || !types.includes(type) || high !== 0 || third !== 0 || second !== 0) return undefined;
  return length >= 1 && length <= maxBytes ? at + 5 + length : undefined;
}
