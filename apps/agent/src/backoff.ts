// SPDX-License-Identifier: Apache-2.0

const FIRST_MS = 1000;
const MOST_MS = 5 * 60_000;

/**
 * How long to wait after the nth failure in a row, from 1: twice as long each time up to a limit, and anywhere between half
 * of that and all of it, so that machines that lost the service together do not come back together.
 * @param random from 0 to below 1
 * @param atLeastMs what the service asks for, in Retry-After
 */
export function backoffMs(failures: number, random: number, atLeastMs = 0): number {
  const longest = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30));
  return Math.max(atLeastMs * (1 + random / 10), longest * (0.5 + random / 2));
}

/** Share of a wait by which a machine comes earlier than it was told to. */
const SPREAD = 0.1;

/** When to attest of a time that is all right: never later, and not when all others do. */
export const spreadMs = (ms: number, random: number): number => ms * (1 - SPREAD * random);
