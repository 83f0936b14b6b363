// SPDX-License-Identifier: Apache-2.0
import { DerReader, SEQUENCE } from './der.ts';

/**
 * An ECDSA signature as r || s, each of `sizeBytes` octets; undefined where it is not exactly of the encoding.
 *
 * DER is ECDSA-Sig-Value, RFC 3279, section 2.2.3, to the letter: a signature has one encoding, so that nobody can make
 * a second valid one out of it by padding. That 1 <= r, s < n is left to the curve's arithmetic, which checks it again.
 */
export function rawEcdsaSignature(
  signature: Uint8Array,
  encoding: 'der' | 'raw',
  sizeBytes: number,
): Uint8Array | undefined {
  if (encoding === 'raw') return signature.length === 2 * sizeBytes ? signature : undefined;
  const outer = new DerReader(signature);
  const sequence = outer.enter(SEQUENCE);
  const r = sequence?.readUnsigned();
  const s = sequence?.readUnsigned();
  if (!r || !s || !sequence?.done || !outer.done || r.length > sizeBytes || s.length > sizeBytes) return undefined;
  const raw = new Uint8Array(2 * sizeBytes);
  raw.set(r, sizeBytes - r.length);
  raw.set(s, 2 * sizeBytes - s.length);
  return raw;
}
