// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { encodeEmsaPkcs1 } from './emsa-pkcs1.ts';
import { isEmsaPss, type PssParameters } from './emsa-pss.ts';
import type { KeyMaterial } from './spki.ts';
import type { SignatureScheme } from './types.ts';

export type RsaMaterial = Extract<KeyMaterial, { kind: 'rsa' }>;
export type RsaScheme = Extract<SignatureScheme, { kind: 'rsa-pkcs1' | 'rsa-pss' }>;

/**
 * RSAVP1 can take it: as long as the modulus and, as a number, below it. RFC 8017, sections 5.2.2, 8.1.2 and 8.2.2,
 * step 1. A number above the modulus would be a second signature for the same message.
 */
export function isRsaSignatureShape({ modulus }: RsaMaterial, signature: Uint8Array): boolean {
  if (signature.length !== modulus.length) return false;
  const at = modulus.findIndex((octet, i) => octet !== signature[i]);
  return at >= 0 && signature[at]! < modulus[at]!;
}

/**
 * The second half of RSASSA verification, what follows the modular power. RFC 8017, sections 8.1.2 and 8.2.2, steps 2
 * to 4.
 * @param encoded s^e mod n, as long as the modulus
 * @param digest of the length that the scheme's hash has
 */
export function isRsaDigestEncoding(
  material: RsaMaterial,
  scheme: RsaScheme,
  digest: Uint8Array,
  encoded: Uint8Array,
  computeDigest: PssParameters['computeDigest'],
): boolean {
  if (scheme.kind === 'rsa-pkcs1')
    return bytesEqual(encoded, encodeEmsaPkcs1(scheme.hash, digest, material.modulus.length));
  return isEmsaPss(encoded, material.bits, digest, { ...scheme, computeDigest });
}
