// SPDX-License-Identifier: Apache-2.0
import { PkiError } from '../error.ts';
import type { DerElement } from './element.ts';
import { TAG, tagName } from './tag.ts';
import { encodeElement } from './writer.ts';

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/** The digit 0, and the zone. */
const ZERO = 0x30;
const ZULU = 0x5a;

/** From this year on, and before 1950, a time is written as GeneralizedTime. RFC 5280, 4.1.2.5. */
const FIRST_GENERALIZED_YEAR = 2050;

function invalid(element: DerElement, message: string): PkiError {
  return new PkiError('der_value', message, { path: element.path, offset: element.offset });
}

/**
 * A Time to milliseconds since 1970, UTC. Seconds are always there and the zone is always Z: RFC 5280, 4.1.2.5.1 and
 * 4.1.2.5.2; two-digit years count from 1950.
 * @throws {PkiError} 'der_tag' when it is neither UTCTime nor GeneralizedTime, 'der_value' when it is no date.
 */
export function decodeTime(element: DerElement): number {
  if (element.tag !== TAG.utcTime && element.tag !== TAG.generalizedTime) {
    const message = `expected UTCTime or GeneralizedTime, found ${tagName(element.tag)}`;
    throw new PkiError('der_tag', message, { path: element.path, offset: element.offset });
  }
  const short = element.tag === TAG.utcTime;
  const form = short ? 'YYMMDDhhmmssZ' : 'YYYYMMDDhhmmssZ';
  if (element.contents.length !== form.length)
    throw invalid(element, `expected ${form}, found ${element.contents.length} octets`);
  const fields = (short ? UTC_TIME : GENERALIZED_TIME)
    .exec(String.fromCharCode(...element.contents))
    ?.slice(1)
    .map(Number);
  if (fields === undefined) throw invalid(element, `expected ${form}`);
  const [written = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const year = short ? written + (written < 50 ? 2000 : 1900) : written;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // A field out of its range carries over into the next, so the date then differs from what was written.
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!same) throw invalid(element, 'expected a date and time that exist');
  return date.getTime();
}

/**
 * A Time as RFC 5280, 4.1.2.5, wants it: UTCTime from 1950 to 2049, GeneralizedTime otherwise.
 * @param timeMs milliseconds since 1970, UTC, a whole number of seconds, of the years 0 to 9999.
 * @throws {PkiError} 'argument_invalid'.
 */
export function encodeTime(timeMs: number): Uint8Array {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  if (!(Number.isInteger(timeMs / 1000) && year >= 0 && year <= 9999)) {
    throw new PkiError(
      'argument_invalid',
      `expected a whole second of the years 0 to 9999, found ${timeMs} ms since 1970`,
    );
  }
  const isShort = year >= 1950 && year < FIRST_GENERALIZED_YEAR;
  const fields = [
    ...(isShort ? [] : [Math.floor(year / 100)]),
    ...[year % 100, date.getUTCMonth() + 1, date.getUTCDate()],
    ...[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()],
  ];
  const text = new Uint8Array(2 * fields.length + 1);
  for (const [i, field] of fields.entries()) {
    text[2 * i] = ZERO + Math.floor(field / 10);
    text[2 * i + 1] = ZERO + (field % 10);
  }
  text[text.length - 1] = ZULU;
  return encodeElement(isShort ? TAG.utcTime : TAG.generalizedTime, text);
}
