// SPDX-License-Identifier: Apache-2.0
import { encode, type Infer, struct, u8, u16le, zeros } from '@vouchsafe/codec';
import { PeError } from '../error.ts';

/**
 * EFI_TIME of an authenticated variable, 16 octets. UEFI 2.10, 8.3, and 8.2.6: Pad1, Nanosecond, TimeZone, Daylight and
 * Pad2 are zero. The fields are not held to the calendar: sbvarsign 0.9.4 counts months from 0, and firmware only
 * compares.
 */
export const efiTime = struct('EFI_TIME', {
  year: u16le,
  month: [u8, '1 to 12'],
  day: u8,
  hour: u8,
  minute: u8,
  second: u8,
  reserved: [zeros(9), 'Pad1, Nanosecond, TimeZone, Daylight, Pad2'],
});
export type EfiTime = Infer<typeof efiTime>;
export const EFI_TIME_BYTES = 16;

/** UEFI 2.10, 8.3: Year is 1900 to 9999. */
const MIN_YEAR = 1900;
const MAX_YEAR = 9999;

/**
 * A time in UTC.
 * @param timeMs milliseconds since 1970, whole seconds.
 * @throws {PeError} 'options_invalid'.
 */
export function efiTimeOf(timeMs: number): EfiTime {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  if (!(Number.isInteger(timeMs / 1000) && year >= MIN_YEAR && year <= MAX_YEAR)) {
    const message = `expected a whole second of the years ${MIN_YEAR} to ${MAX_YEAR}, found ${timeMs} ms since 1970`;
    throw new PeError('options_invalid', message);
  }
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** The octets of a time. */
export function encodeEfiTime(time: EfiTime): Uint8Array {
  return encode(efiTime, time);
}
