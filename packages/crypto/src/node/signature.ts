// SPDX-License-Identifier: Apache-2.0
import { constants, publicDecrypt, verify } from 'node:crypto';
import { digestSize } from '../digest-size.ts';
import { CURVES } from '../ec-curve.ts';
import { isEcdsaSignature } from '../ecdsa-digest.ts';
import { derEcdsaSignature, rawEcdsaSignature } from '../ecdsa-signature.ts';
import { CryptoError } from '../error.ts';
import { isRsaDigestEncoding, isRsaSignatureShape } from '../rsa-digest-signature.ts';
import { requireScheme } from '../signature-scheme.ts';
import type { DigestSignatureScheme, PublicKey, SignatureScheme } from '../types.ts';
import { digest as computeDigest, opensslName } from './digest.ts';
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
  const { material, handle } = importedKey(key);
  // The shape is settled here, by the same code as in browsers; OpenSSL is then left with the arithmetic alone.
  if (scheme.kind === 'ed25519') {
    return signature.length === 64 && openssl(() => verify(null, message, handle, signature));
  }
  const hash = opensslName(scheme.hash);
  if (material.kind === 'ec' && scheme.kind === 'ecdsa') {
    const raw = rawEcdsaSignature(signature, scheme.encoding, CURVES[material.curve].sizeBytes);
    return raw !== undefined && openssl(() => verify(hash, message, handle, derEcdsaSignature(raw)));
  }
  if (material.kind !== 'rsa' || !isRsaSignatureShape(material, signature)) return false;
  if (scheme.kind === 'rsa-pkcs1') {
    // The padding of rsaEncryption keys unless another is named. A key in an object with its options costs half as much again.
    return openssl(() => verify(hash, message, handle, signature));
  }
  if (scheme.kind !== 'rsa-pss') return false;
  // A salt that is longer than the modulus would also be outside what Node takes for a number of octets.
  if (scheme.saltSize !== 'any' && scheme.saltSize > signature.length) return false;
  const saltLength = scheme.saltSize === 'any' ? constants.RSA_PSS_SALTLEN_AUTO : scheme.saltSize;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return openssl(() => verify(hash, message, { key: handle, padding, saltLength }, signature));
}

/**
 * As `verifySignature`, for a caller that has only the message's digest. False for a digest of the wrong length too.
 *
 * RSA: the modular power is OpenSSL's, the encoding is ours. ECDSA: @noble, as node:crypto has no such call: 3 ms for
 * P-256, 9 for P-521.
 * @throws {CryptoError} 'key_mismatch', 'unsupported'
 */
export function verifyDigest(
  key: PublicKey,
  scheme: DigestSignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  requireScheme(key.algorithm, scheme);
  const { material, handle } = importedKey(key);
  opensslName(scheme.hash);
  if (digest.length !== digestSize(scheme.hash)) return false;
  if (material.kind === 'ec' && scheme.kind === 'ecdsa') {
    const raw = rawEcdsaSignature(signature, scheme.encoding, CURVES[material.curve].sizeBytes);
    return raw !== undefined && isEcdsaSignature(material.curve, material.point, digest, raw);
  }
  if (material.kind !== 'rsa' || scheme.kind === 'ecdsa' || !isRsaSignatureShape(material, signature)) return false;
  const encoded = openssl(() => publicDecrypt({ key: handle, padding: constants.RSA_NO_PADDING }, signature));
  return isRsaDigestEncoding(material, scheme, digest, encoded, computeDigest);
}

/**
 * Once the shape of a signature is right, OpenSSL refuses it by answering false. What it throws then is the runtime's
 * own policy, such as a FIPS provider that has no SHA-1: not an answer about the signature, and not to be taken for
 * one.
 */
function openssl<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw new CryptoError('unsupported', 'this Node.js refuses to check such a signature: see the cause', { cause });
  }
}
