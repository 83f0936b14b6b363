// SPDX-License-Identifier: Apache-2.0
import { createECDH } from 'node:crypto';
import { invalidPoint, invalidScalar, requireEcdhInput } from '../ecdh-input.ts';
import type { EcCurve } from '../types.ts';

const OPENSSL_CURVES: Readonly<Record<EcCurve, string>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
};

/** @throws {CryptoError} 'invalid_input' */
function withScalar(curve: EcCurve, scalar: Uint8Array): ReturnType<typeof createECDH> {
  const ecdh = createECDH(OPENSSL_CURVES[curve]);
  try {
    ecdh.setPrivateKey(scalar);
  } catch (cause) {
    throw invalidScalar(curve, cause);
  }
  return ecdh;
}

/**
 * The public point of a private scalar, uncompressed: 0x04, x, y (SEC 1, section 2.3.3).
 * @param scalar big-endian, 1 to n - 1, as long as a coordinate
 * @throws {CryptoError} 'invalid_input' for a scalar outside that range; draw another
 */
export function ecPointOf(curve: EcCurve, scalar: Uint8Array): Uint8Array {
  requireEcdhInput(curve, scalar);
  return new Uint8Array(withScalar(curve, scalar).getPublicKey(null, 'uncompressed'));
}

/**
 * The x coordinate of the shared point. SEC 1, section 3.3.1; NIST SP 800-56A, section 5.7.1.2. As long as a coordinate.
 * @param point the other side's, uncompressed; a point that is not on the curve is refused, for it would leak the scalar
 * @throws {CryptoError} 'invalid_input', 'invalid_key'
 */
export function ecdhSharedX(curve: EcCurve, scalar: Uint8Array, point: Uint8Array): Uint8Array {
  requireEcdhInput(curve, scalar, point);
  const ecdh = withScalar(curve, scalar);
  try {
    return new Uint8Array(ecdh.computeSecret(point));
  } catch (cause) {
    throw invalidPoint(curve, cause);
  }
}
