// SPDX-License-Identifier: Apache-2.0
import { readFileSync, type Stats } from 'node:fs';
import { BytesError } from '../error.ts';
import { onHost } from './host-error.ts';

/**
 * Octets of a regular file or block device; fstat(2) says 0 for the latter.
 * @throws {BytesError} 'not_a_file' for anything else, 'io' when the host does not say.
 */
export function sizeOf(path: string, stats: Stats): number {
  if (stats.isFile()) return stats.size;
  if (stats.isBlockDevice()) return blockDeviceSize(path, stats.rdev);
  throw new BytesError('not_a_file', `${path}: expected a file or block device`);
}

/** Linux says it in sectors of 512 octets, whatever the device's own sector size (Documentation/ABI/stable/sysfs-block). */
function blockDeviceSize(path: string, rdev: number): number {
  const major = Math.floor(rdev / 256) & 0xfff;
  const minor = (rdev & 0xff) | (Math.floor(rdev / 4096) & 0xfff00);
  const sectors = Number(onHost(path, () => readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')).trim());
  if (!Number.isSafeInteger(sectors * 512)) throw new BytesError('io', `${path}: cannot tell the size of this device`);
  return sectors * 512;
}
