// SPDX-License-Identifier: Apache-2.0
import { fstatSync } from 'node:fs';
import { BytesError } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';

const STANDARD_INPUT = '/dev/stdin';

/**
 * The path of a file that is read at random places; - is standard input, as far as it is such a file (`< FILE`).
 * @throws {BytesError} 'not_a_file' for a pipe or a terminal: what has gone by cannot be read again.
 */
export function inputPath(argument: string): string {
  if (argument !== '-') return argument;
  let isRandomAccess: boolean;
  try {
    const stats = fstatSync(0);
    isRandomAccess = stats.isFile() || stats.isBlockDevice();
  } catch (cause) {
    throw hostError('standard input', cause);
  }
  if (isRandomAccess) return STANDARD_INPUT;
  throw new BytesError(
    'not_a_file',
    'standard input: expected a file or block device, as it is not read from front to back; say < FILE, or name the file',
  );
}
