// SPDX-License-Identifier: Apache-2.0
import { CURVES } from '../ec-curve.ts';
import { invalidPoint, invalidScalar, requireEcdhInput } from '../ecdh-input.ts';
import { curveOf } from '../ecdsa-digest.ts';
import type { EcCurve } from '../types.ts';

/**
 * The public point of a private scalar, uncompressed: 0x04, x, y (SEC 1, section 2.3.3).
 * @param scalar big-endian, 1 to n - 1, as long as a coordinate
 * @throws {CryptoError} 'invalid_input' for a scalar outside that range; draw another
 */
export function ecPointOf(curve: EcCurve, scalar: Uint8Array): Uint8Array {
  requireEcdhInput(curve, scalar);
  try {
    return curveOf(curve).getPublicKey(scalar, false);
  } catch (cause) {
    throw invalidScalar(curve, cause);
  }
}

/**
 * The x coordinate of the shared point. SEC 1, section 3.3.1; NIST SP 800-56A, section 5.7.1.2. As long as a coordinate.
 * @param point the other side's, uncompressed; a point that is not on the curve is refused, for it would leak the scalar
 * @throws {CryptoError} 'invalid_input', 'invalid_key'
 */
export function ecdhSharedX(curve: EcCurve, scalar: Uint8Array, point: Uint8Array): Uint8Array {
  requireEcdhInput(curve, scalar, point);
  ecPointOf(curve, scalar);
  try {
    return curveOf(curve)
      .getSharedSecret(scalar, point, false)
      .slice(1, 1 + CURVES[curve].sizeBytes);
  } catch (cause) {
    throw invalidPoint(curve, cause);
  }
}
