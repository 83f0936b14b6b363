// SPDX-License-Identifier: Apache-2.0
import { digestSize } from '../digest-size.ts';
import { CURVES } from '../ec-curve.ts';
import { isEcdsaSignature } from '../ecdsa-digest.ts';
import { rawEcdsaSignature } from '../ecdsa-signature.ts';
import { bigintToBytes, bytesToBigint, modularPower } from '../modular-power.ts';
import { isRsaDigestEncoding, isRsaSignatureShape, type RsaMaterial } from '../rsa-digest-signature.ts';
import { requireScheme } from '../signature-scheme.ts';
import type { DigestSignatureScheme, PublicKey, SignatureScheme } from '../types.ts';
import { digest as computeDigest, hashOf } from './digest.ts';
import { isEd25519Signature } from './ed25519.ts';
import { importedKey } from './public-key.ts';

/**
 * Whether the signature is the key's over the message. False for a signature of any wrong shape: length, encoding,
 * range.
 * @throws {CryptoError} 'key_mismatch' when the key is of another kind than the scheme needs, 'unsupported' for a
 *   digest that this runtime does not have or that no signature is defined over
 */
export function verifySignature(
  key: PublicKey,
  scheme: SignatureScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  requireScheme(key.algorithm, scheme);
  if (scheme.kind !== 'ed25519') return verifyDigest(key, scheme, computeDigest(scheme.hash, message), signature);
  const material = importedKey(key);
  return material.kind === 'ed25519' && isEd25519Signature(material.point, message, signature);
}

/**
 * As `verifySignature`, for a caller that has only the message's digest. False for a digest of the wrong length too.
 * @throws {CryptoError} 'key_mismatch', 'unsupported'
 */
export function verifyDigest(
  key: PublicKey,
  scheme: DigestSignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  requireScheme(key.algorithm, scheme);
  const material = importedKey(key);
  hashOf(scheme.hash);
  if (digest.length !== digestSize(scheme.hash)) return false;
  if (material.kind === 'ec' && scheme.kind === 'ecdsa') {
    const raw = rawEcdsaSignature(signature, scheme.encoding, CURVES[material.curve].sizeBytes);
    return raw !== undefined && isEcdsaSignature(material.curve, material.point, digest, raw);
  }
  if (material.kind !== 'rsa' || scheme.kind === 'ecdsa' || !isRsaSignatureShape(material, signature)) return false;
  return isRsaDigestEncoding(material, scheme, digest, recoverEncoding(material, signature), computeDigest);
}

/**
 * RSAVP1, RFC 8017, section 5.2.2. At most 64 products of the modulus' length: the exponent is below 2^32.
 * @returns as many octets as the modulus has
 */
function recoverEncoding({ modulus, exponent }: RsaMaterial, signature: Uint8Array): Uint8Array {
  const message = modularPower(bytesToBigint(signature), BigInt(exponent), bytesToBigint(modulus));
  return bigintToBytes(message, modulus.length);
}
