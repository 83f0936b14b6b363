// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { hmac } from '@vouchsafe/crypto';
import { digestAlgorithmOf, tpmDigest } from './hash.ts';
import type { TpmHash } from './structures/algorithm.ts';

/** HMAC by a TPM's hash. */
export function tpmHmac(hash: TpmHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return hmac(digestAlgorithmOf(hash), key, concatBytes(...parts));
}

/** Takes blocks until there are `bits`; whole octets, as all keys here have. */
function blocks(bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const size = Math.ceil(bits / 8);
  const parts: Uint8Array[] = [];
  for (let at = 0, counter = 1; at < size; counter++) {
    const part = block(encode(u32be, counter));
    parts.push(part);
    at += part.length;
  }
  return concatBytes(...parts).slice(0, size);
}

/**
 * KDFa: HMAC in counter mode. TPM 2.0 Library, Part 1, section 11.4.10.2 (KDFa), after NIST SP 800-108. A zero octet follows
 * the label.
 * @param bits length of the result, a multiple of 8
 */
export function kdfA(
  hash: TpmHash,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
): Uint8Array {
  const fixed = [ascii(label), Uint8Array.of(0), contextU, contextV, encode(u32be, bits)];
  return blocks(bits, (counter) => tpmHmac(hash, key, counter, ...fixed));
}

/**
 * KDFe: a hash over the shared point's x coordinate. TPM 2.0 Library, Part 1, section 11.4.10.3 (KDFe), after NIST SP
 * 800-56A. A zero octet follows the label.
 * @param z x coordinate of the shared point, as long as a coordinate
 * @param partyU x coordinate of the ephemeral key
 * @param partyV x coordinate of the TPM's key
 * @param bits length of the result, a multiple of 8
 */
export function kdfE(
  hash: TpmHash,
  z: Uint8Array,
  label: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
): Uint8Array {
  const fixed = [z, ascii(label), Uint8Array.of(0), partyU, partyV];
  return blocks(bits, (counter) => tpmDigest(hash, concatBytes(counter, ...fixed)));
}
