// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { bytesToBigint } from '../modular-power.ts';

/** Order of the base point. RFC 8032, section 5.1. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/**
 * Ed25519 verification. RFC 8032, section 5.1.7, with the equation that is not multiplied by the cofactor, and
 * comparing encodings, as OpenSSL does: @noble's own `verify` multiplies, so the two runtimes would differ over
 * signatures that the key's owner made to be read two ways.
 * @param point a key that `isEd25519PublicKey` accepts
 */
export function isEd25519Signature(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  // Step 1: an S of L or more would be a second signature for the same message.
  if (s >= L) return false;
  // Steps 2 and 3: R = [S]B - [k]A.
  const k = littleEndian(sha512(concatBytes(r, point, message))) % L;
  const { Point } = ed25519;
  const expected = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(point).multiplyUnsafe(k));
  return bytesEqual(expected.toBytes(), r);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytesToBigint(bytes.toReversed());
}
