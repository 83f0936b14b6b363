// SPDX-License-Identifier: Apache-2.0

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
  P: 1024 ** 5,
};

/**
 * A size as systemd writes it: digits, and K, M, G, T or P for powers of 1024. systemd, src/basic/parse-util.c, parse_size.
 * @returns octets.
 * @throws {RangeError}
 */
export function parseDefinitionSize(text: string): number {
  const match = /^(\d{1,16})(?:\.(\d{1,6}))?([BKMGTP]?)$/.exec(text);
  const unit = UNITS[match?.[3] ?? ''];
  const bytes = match === null || unit === undefined ? Number.NaN : Number(`${match[1]}.${match[2] ?? '0'}`) * unit;
  if (!Number.isFinite(bytes) || bytes > Number.MAX_SAFE_INTEGER) {
    throw new RangeError('expected a size such as 4096, 512K, 100M or 2G');
  }
  return Math.floor(bytes);
}
