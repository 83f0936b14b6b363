// SPDX-License-Identifier: Apache-2.0
import { bytesToBigint, modularPower } from './modular-power.ts';

const P = 2n ** 255n - 19n;
/** -121665/121666 mod p. RFC 8032, section 5.1. */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * True for the canonical encoding of a point of edwards25519 whose order does not divide the cofactor 8. RFC 8032,
 * sections 5.1.2 and 5.1.3. With a key of small order one signature can fit every message. OpenSSL takes any 32 octets
 * as a key and
 * @noble refuses some of them late; this makes both entries refuse the same ones, at import.
 */
export function isEd25519PublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  // Little-endian, the top bit is the sign of x.
  const y = bytesToBigint(bytes.toReversed()) & (2n ** 255n - 1n);
  if (y >= P) return false;
  const y2 = (y * y) % P;
  // y = 1, y = -1 and y = 0 have the orders 1, 2 and 4. A point of order 8 doubles to one with y = 0, so x² = -y², and
  // the curve's equation -x² + y² = 1 + d·x²·y² becomes d·y⁴ + 2·y² = 1.
  if (y2 <= 1n || (D * y2 * y2 + 2n * y2 - 1n) % P === 0n) return false;
  // x² = u/v has a root if and only if u·v is a square (Euler's criterion); u·v is zero for y = ±1 only.
  const u = y2 - 1n;
  const v = D * y2 + 1n;
  return modularPower((u * v) % P, (P - 1n) / 2n, P) === 1n;
}
