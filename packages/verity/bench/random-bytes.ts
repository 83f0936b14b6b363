// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from '@vouchsafe/crypto/signing';

const MAX_AT_ONCE = 65_536;

/** Fills the buffer with random bytes. */
export function randomBytesInto(target: Uint8Array): void {
  for (let at = 0; at < target.length; at += MAX_AT_ONCE) {
    target.set(randomBytes(Math.min(MAX_AT_ONCE, target.length - at)), at);
  }
}
