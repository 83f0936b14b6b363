// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { tarMalformed } from './malformed.ts';

/** A record of an extended header. The value is octets: that of an extended attribute may be anything. */
export interface PaxRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** Of the value in the archive, for messages. */
  readonly offset: number;
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const LINE_FEED = 0x0a;
/** Digits of a record's length: no header has more octets. */
const MAX_LENGTH_DIGITS = 9;

/**
 * The records of an extended header, in order: each "LENGTH KEY=VALUE" and a line feed, the length being that of all of it.
 * POSIX.1-2017, pax, "pax Extended Header".
 * @param offset of the octets in the archive.
 * @throws {DiskError} 'tar_malformed'
 */
export function parsePax(octets: Uint8Array, label: string, offset: number): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < octets.length; ) {
    const refuse = (problem: string, options?: ErrorOptions): never => {
      throw tarMalformed(label, offset + at, problem, options);
    };
    const space = octets.subarray(at, at + MAX_LENGTH_DIGITS + 1).indexOf(SPACE);
    const digits = space < 0 ? '' : String.fromCharCode(...octets.subarray(at, at + space));
    if (!/^[0-9]+$/.test(digits)) refuse('expected the length of a pax record');
    const length = Number(digits);
    const record = octets.subarray(at, at + length);
    const equals = record.indexOf(EQUALS);
    if (length < space + 4 || record.length < length || record[length - 1] !== LINE_FEED || equals <= space + 1) {
      refuse(`expected a pax record of ${length} octets, KEY=VALUE and a line feed`);
    }
    let key = '';
    try {
      key = parseUtf8(record.subarray(space + 1, equals));
    } catch (cause) {
      if (!(cause instanceof TextError)) throw cause;
      refuse('expected the key of a pax record in UTF-8', { cause });
    }
    records.push({ key, value: record.subarray(equals + 1, length - 1), offset: offset + at + equals + 1 });
    at += length;
  }
  return records;
}

/** What applies to a member: its own records over those for all that follow; an empty value takes one of these back. */
export class PaxHeaders {
  readonly #label: string;
  readonly #global = new Map<string, PaxRecord>();
  #own: readonly PaxRecord[] = [];

  constructor(label: string) {
    this.#label = label;
  }

  addGlobal(records: readonly PaxRecord[]): void {
    for (const record of records) {
      if (record.value.length === 0) this.#global.delete(record.key);
      else this.#global.set(record.key, record);
    }
  }

  /** @throws {DiskError} 'tar_malformed' for a second header of one member: readers differ in which one they take. */
  setOwn(records: readonly PaxRecord[], offset: number): void {
    if (this.#own.length > 0)
      throw tarMalformed(this.#label, offset, 'expected one extended header of a member, found two');
    this.#own = records;
  }

  get hasOwn(): boolean {
    return this.#own.length > 0;
  }

  /** Ends a member. */
  clearOwn(): void {
    this.#own = [];
  }

  /** All records of the member itself, the same key several times too. */
  get own(): readonly PaxRecord[] {
    return this.#own;
  }

  /** Every record that counts, by key. */
  all(): Map<string, PaxRecord> {
    const all = new Map(this.#global);
    for (const record of this.#own) {
      if (record.value.length === 0) all.delete(record.key);
      else all.set(record.key, record);
    }
    return all;
  }
}

/** @throws {DiskError} 'tar_malformed' unless it is a decimal number that is exact here. */
export function paxInteger({ key, value, offset }: PaxRecord, label: string): number {
  const text = String.fromCharCode(...value.subarray(0, 32));
  const number = Number(text);
  if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw tarMalformed(label, offset, `expected ${key} as a decimal number, found ${JSON.stringify(text)}`);
  }
  return number;
}

/** Decimal seconds with a fraction, down to a nanosecond; the time may be before 1970. */
export function paxTime(
  { key, value, offset }: PaxRecord,
  label: string,
): { readonly seconds: number; readonly nanoseconds: number } {
  const text = String.fromCharCode(...value.subarray(0, 64));
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (match === null)
    throw tarMalformed(label, offset, `expected ${key} as decimal seconds, found ${JSON.stringify(text)}`);
  const [, sign, whole = '', fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
