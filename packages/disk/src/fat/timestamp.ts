// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** A time as directory entries hold it, to two seconds, and hundredths of a second beside it. */
export interface FatTimestamp {
  readonly date: number;
  readonly time: number;
  /** 0 or 100: the odd second, for the creation time only. */
  readonly tenths: number;
}

const EARLIEST_SECONDS = Date.UTC(1980, 0, 1) / 1000;
const LATEST_SECONDS = Date.UTC(2107, 11, 31, 23, 59, 59) / 1000;

/**
 * FAT knows no time zone; this is UTC, whatever the host's is. A time before 1980 becomes 1980-01-01, the earliest there
 * is. Microsoft FAT 1.03, "Date and Time Formats".
 * @param seconds since 1970.
 * @throws {DiskError} 'options_invalid' for a time after 2107.
 */
export function fatTimestamp(seconds: number): FatTimestamp {
  if (!Number.isSafeInteger(seconds) || seconds > LATEST_SECONDS) {
    throw new DiskError('options_invalid', `FAT: expected a time in whole seconds up to 2107, found ${seconds}`);
  }
  const at = new Date(Math.max(seconds, EARLIEST_SECONDS) * 1000);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return { date, time, tenths: (at.getUTCSeconds() & 1) * 100 };
}

/** Seconds since 1970, taking the time as UTC; undefined for a date that is none, as 0 is. */
export function parseFatTimestamp(date: number, time: number): number | undefined {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, 2 * (time & 31)];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 58) return undefined;
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  return new Date(milliseconds).getUTCDate() === day ? milliseconds / 1000 : undefined;
}
