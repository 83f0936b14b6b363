// SPDX-License-Identifier: Apache-2.0
import { CURVES } from './ec-curve.ts';
import { CryptoError } from './error.ts';
import type { EcCurve } from './types.ts';

/** One wording for both runtimes. Never the scalar itself: it is a secret. */
export function invalidScalar(curve: EcCurve, cause?: unknown): CryptoError {
  return new CryptoError('invalid_input', `expected a scalar from 1 to the order of ${curve}, less one`, { cause });
}

export function invalidPoint(curve: EcCurve, cause?: unknown): CryptoError {
  return new CryptoError('invalid_key', `expected an uncompressed point of ${curve}`, { cause });
}

/**
 * Runtimes differ in what they take beside the one form; we take only that.
 * @throws {CryptoError} 'invalid_input', 'invalid_key'
 */
export function requireEcdhInput(curve: EcCurve, scalar: Uint8Array, point?: Uint8Array): void {
  const { sizeBytes } = CURVES[curve];
  if (scalar.length !== sizeBytes) throw invalidScalar(curve);
  if (point !== undefined && (point.length !== 1 + 2 * sizeBytes || point[0] !== 0x04)) throw invalidPoint(curve);
}
