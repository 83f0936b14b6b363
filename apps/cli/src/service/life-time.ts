// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span in milliseconds, out of a number and a unit: 90s, 15m, 12h, 7d. */
export function lifeMs(text: string): number {
  const [, number, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    throw new InvalidArgumentError('Expected a number and a unit, as in 90s, 15m, 12h or 7d.');
  return Number(number) * (UNITS[unit] as number);
}
