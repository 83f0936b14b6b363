// SPDX-License-Identifier: Apache-2.0
import { type Stats, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { onHost } from './host-error.ts';

/**
 * True when both paths lead to the same file, or would if it were made: links and other spellings are seen through.
 * @throws {BytesError} 'no_permission', 'io' when the host does not say.
 */
export function isSameFile(a: string, b: string): boolean {
  const x = statsOf(a);
  const y = statsOf(b);
  if (x !== undefined || y !== undefined) return isSameNode(x, y);
  return basename(resolve(a)) === basename(resolve(b)) && isSameNode(statsOf(dirname(a)), statsOf(dirname(b)));
}

function statsOf(path: string): Stats | undefined {
  return onHost(path, () => statSync(path, { throwIfNoEntry: false }));
}

function isSameNode(x: Stats | undefined, y: Stats | undefined): boolean {
  if (x === undefined || y === undefined) return false;
  // Two nodes of one block device are one device.
  if (x.isBlockDevice() && y.isBlockDevice()) return x.rdev === y.rdev;
  return x.dev === y.dev && x.ino === y.ino;
}
