// SPDX-License-Identifier: Apache-2.0
import { ascii, toHex, utf8 } from '@vouchsafe/base';
import { hmac } from '@vouchsafe/crypto';

/** Octets of a seed: a UUID. */
export const SEED_BYTES = 16;

/** RFC 9562, section 5.4: version 4 and its variant, whatever the other bits are. */
function asUuid4(octets: Uint8Array): string {
  const b = octets.slice(0, 16);
  b[6] = ((b[6] as number) & 0x0f) | 0x40;
  b[8] = ((b[8] as number) & 0x3f) | 0x80;
  const h = toHex(b);
  return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join('-');
}

/** The salt that systemd-repart derives from a seed: all of HMAC-SHA-256(seed, "verity-salt"). systemd 255, repart.c. */
export function saltFromSeed(seed: Uint8Array): Uint8Array {
  return hmac('sha256', seed, ascii('verity-salt'));
}

/** The superblock's UUID that systemd-repart derives from a seed. systemd 255, repart.c. */
export function uuidFromSeed(seed: Uint8Array): string {
  return asUuid4(hmac('sha256', seed, ascii('verity-uuid')));
}

/** A UUID for a tree whose maker gave none: another root hash has another UUID, the same one the same. */
export function uuidFromRootHash(rootHash: Uint8Array): string {
  return asUuid4(hmac('sha256', rootHash, utf8('verity-uuid')));
}

/** What is derived from when nobody gives a seed, so that the same data gives the same tree without any option. */
export const DEFAULT_SEED: Uint8Array = new Uint8Array(SEED_BYTES);
