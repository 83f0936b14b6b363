// SPDX-License-Identifier: Apache-2.0
import { DerReader, INTEGER, SEQUENCE } from './der.ts';

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

/**
 * r || s as ECDSA-Sig-Value in DER, as node:crypto takes it without being told: told that a signature is r || s, it takes
 * half as long again.
 */
export function derEcdsaSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const [r, s] = [unsignedStart(raw, 0, half), unsignedStart(raw, half, raw.length)];
  const content = r.size + s.size + 4;
  // Two numbers of at most 67 octets: the length takes one octet, or two.
  const headSize = content < 0x80 ? 2 : 3;
  const der = new Uint8Array(headSize + content);
  der[0] = SEQUENCE;
  if (headSize === 3) der[1] = 0x81;
  der[headSize - 1] = content;
  putUnsigned(der, headSize, raw, r, half);
  putUnsigned(der, headSize + 2 + r.size, raw, s, raw.length);
  return der;
}

/** Where a number begins without its leading zeros, and how many octets its INTEGER has. */
function unsignedStart(raw: Uint8Array, from: number, end: number): { readonly at: number; readonly size: number } {
  let at = from;
  while (at < end - 1 && raw[at] === 0) at++;
  const isNegative = ((raw[at] as number) & 0x80) !== 0;
  return { at, size: end - at + (isNegative ? 1 : 0) };
}

function putUnsigned(
  der: Uint8Array,
  to: number,
  raw: Uint8Array,
  { at, size }: { readonly at: number; readonly size: number },
  end: number,
): void {
  der[to] = INTEGER;
  der[to + 1] = size;
  der.set(raw.subarray(at, end), to + 2 + size - (end - at));
}
