// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from './error.ts';

const MAX_ITERATIONS = 10_000_000;
const MAX_BYTES = 1024;

/** Both entries refuse the same, so that no file can ask for hours. @throws {CryptoError} 'unsupported' */
export function requireWork(iterations: number, sizeBytes: number): void {
  const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (isCount(iterations, MAX_ITERATIONS) && isCount(sizeBytes, MAX_BYTES)) return;
  const expected = `expected 1 to ${MAX_ITERATIONS} iterations for a key of 1 to ${MAX_BYTES} octets`;
  throw new CryptoError('unsupported', `${expected}, found ${iterations} for ${sizeBytes}`);
}
