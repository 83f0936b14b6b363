// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { encodeBase64url } from '@vouchsafe/protocol';

/** Drawn from the system in larger pieces; each octet is used once. */
const POOL_BYTES = 8000;
let pool = new Uint8Array(0);
let used = 0;

/** As `randomBytes`, for the few octets that each attestation wants several times, which cost a call of the system each. */
export function drawRandom(sizeBytes: number): Uint8Array {
  if (used + sizeBytes > pool.length) {
    pool = Uint8Array.from(randomBytes(POOL_BYTES));
    used = 0;
  }
  const drawn = pool.slice(used, used + sizeBytes);
  pool.fill(0, used, used + sizeBytes);
  used += sizeBytes;
  return drawn;
}

/** Names of records: nobody guesses one, but nothing depends on it. */
export const newId = (): string => encodeBase64url(randomBytes(16));

/** A token that opens something: 256 bits. Its digest alone is kept. */
export const newToken = (): string => encodeBase64url(randomBytes(32));

export const sha256Of = (bytes: Uint8Array): string => toHex(digest('sha256', bytes));
export const sha256OfText = (text: string): string => sha256Of(utf8(text));
