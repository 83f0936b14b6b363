// SPDX-License-Identifier: Apache-2.0
import { constants, type KeyObject, privateEncrypt, sign } from 'node:crypto';
import { digestSize } from '../digest-size.ts';
import { digestInfo } from '../emsa-pkcs1.ts';
import { CryptoError } from '../error.ts';
import { digest as computeDigest, opensslName } from '../node/digest.ts';
import { verifyDigest, verifySignature } from '../node/signature.ts';
import { requireScheme } from '../signature-scheme.ts';
import type { SignatureScheme } from '../types.ts';
import { importedPrivateKey, type PrivateKey } from './private-key.ts';

/** The scheme in which a digest is signed: deterministic. */
export type DigestSigningScheme = Extract<SignatureScheme, { readonly kind: 'rsa-pkcs1' }>;

/** The schemes in which messages are signed. 'ecdsa' takes a fresh random nonce: not for what must be reproducible. */
export type SigningScheme = Exclude<SignatureScheme, { readonly kind: 'rsa-pss' }>;

/**
 * RSASSA-PKCS1-v1_5 over a digest that was computed elsewhere. RFC 8017, section 8.2.1. The same key and digest always
 * give the same signature.
 * @param digest as long as the scheme's hash gives; another length is a defect of the caller (RangeError)
 * @returns as many octets as the modulus has
 * @throws {CryptoError} 'key_mismatch', 'unsupported', 'invalid_key' when the key's halves do not belong together
 */
export function signDigest(key: PrivateKey, scheme: DigestSigningScheme, digest: Uint8Array): Uint8Array {
  const { handle, publicKey } = importedPrivateKey(key);
  requireScheme(key.algorithm, scheme);
  if (digest.length !== digestSize(scheme.hash)) {
    throw new RangeError(`a ${scheme.hash} digest has ${digestSize(scheme.hash)} octets, got ${digest.length}`);
  }
  // OpenSSL puts the padding of EMSA-PKCS1-v1_5 around what it is given: section 9.2, steps 4 and 5.
  const padding = constants.RSA_PKCS1_PADDING;
  const signature = openssl(() => privateEncrypt({ key: handle, padding }, digestInfo(scheme.hash, digest)));
  return requireGood(signature, verifyDigest(publicKey, scheme, digest, signature));
}

/**
 * A signature over the message. RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2) and Ed25519 (RFC 8032) are deterministic;
 * ECDSA is not.
 * @throws {CryptoError} 'key_mismatch', 'unsupported', 'invalid_key' when the key's halves do not belong together
 */
export function signMessage(key: PrivateKey, scheme: SigningScheme, message: Uint8Array): Uint8Array {
  const { handle, publicKey } = importedPrivateKey(key);
  requireScheme(key.algorithm, scheme);
  if (scheme.kind === 'rsa-pkcs1') return signDigest(key, scheme, computeDigest(scheme.hash, message));
  const signature = openssl(() =>
    scheme.kind === 'ed25519' ? sign(null, message, handle) : signEcdsa(handle, scheme, message),
  );
  if (scheme.kind === 'ecdsa' && wholeKeys.has(handle)) return new Uint8Array(signature);
  requireGood(signature, verifySignature(publicKey, scheme, message, signature));
  wholeKeys.add(handle);
  return new Uint8Array(signature);
}

/**
 * Keys that have given a good signature, so that their halves belong together. What an ECDSA key signs after that is not checked
 * again, as checking costs twice what signing does, and as no TLS server does either: a fault of the machine makes a signature that
 * others refuse. RSA and Ed25519 are deterministic, so that one faulty signature of a message that was signed before gives the key away to
 * whoever compares the two: these are checked always.
 */
const wholeKeys = new WeakSet<KeyObject>();

function signEcdsa(key: KeyObject, scheme: Extract<SigningScheme, { kind: 'ecdsa' }>, message: Uint8Array): Uint8Array {
  // The key itself where it is enough: one in an object with options costs a tenth more.
  const how = scheme.encoding === 'raw' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
  return sign(opensslName(scheme.hash), message, how);
}

/**
 * A key file may hold halves that do not belong together, and a fault while signing with RSA's two primes would show
 * one of them (Boneh, DeMillo, Lipton, 1997): no signature leaves unless it is good.
 */
function requireGood(signature: Uint8Array, isGood: boolean): Uint8Array {
  if (!isGood) {
    const message =
      'private key: what it signs does not match its public half; the key is damaged, make or fetch it anew';
    throw new CryptoError('invalid_key', message);
  }
  return new Uint8Array(signature);
}

function openssl<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof CryptoError) throw cause;
    throw new CryptoError('invalid_key', 'private key: OpenSSL could not sign with it: see the cause', { cause });
  }
}
